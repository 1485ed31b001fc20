# Marketing Events Relay. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash

TOOLS         := $(CURDIR)/.cache/bin
GOLANGCI      := $(TOOLS)/golangci-lint-2.15.0
WORKFLOWCHECK := $(TOOLS)/workflowcheck-0.6.0
ACTIONLINT    := $(TOOLS)/actionlint-1.7.12
GORELEASER    := $(TOOLS)/goreleaser-2.17.0
# Every module of the repository: the production one, and deploy with everything that only development and tests need.
MODULES       := $(sort $(dir $(shell git ls-files '*go.mod')))
BUILD_DEV      = cd deploy && go build -o ../bin/dev ./dev && go build -o ../bin/relay-dev ./dev/cmd/relay-dev

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.PHONY: dev
dev: database ## run the whole system on this machine, with a sandbox as the outside world, and send the sample batch
	$(BUILD_DEV)
	exec bin/dev up

.PHONY: test
test: database ## run all tests: units, workflows, database, the whole path
	go test -race -timeout 20m ./...
	cd deploy && go test -timeout 30m ./...

.PHONY: test-mysql
test-mysql: ## run migrations, db tests and the whole path on a real MySQL, unpacked into .cache
	deploy/dev/test-mysql.sh

.PHONY: containers
containers: ## run docker-compose.temporal.yml on a container engine of its own, with kills and a quick down and up; needs root and dockerd
	deploy/tests/containers/run.sh

# Where git refuses the checkout (safe.directory) it lists nothing, and a check of no module would succeed.
.PHONY: modules
modules:
	@test -n "$(MODULES)" || { echo "there is no module to check: git ls-files lists no go.mod" >&2; exit 1; }

.PHONY: check
check: modules $(GOLANGCI) $(WORKFLOWCHECK) ## gofmt, vet, linters, workflow determinism, the import table, the OpenAPI document, the release
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	@for module in $(MODULES); do (cd $$module && echo "check $$module" && go vet ./... && \
		$(GOLANGCI) run --allow-parallel-runners ./...) || exit 1; done
	$(WORKFLOWCHECK) ./workflows/...
	go test -run TestPackagesImportOnlyWhatTheLayoutAllows .
	deploy/tests/api/lint.sh
	@if $(MAKE) --silent $(ACTIONLINT); then $(ACTIONLINT) -shellcheck= -pyflakes=; else echo "actionlint skipped: it cannot be installed"; fi
	@if $(MAKE) --silent $(GORELEASER); then $(GORELEASER) check; else echo "goreleaser check skipped: it cannot be installed"; fi

# Its first build took 102 s on two busy cores; after that it takes a second.
.PHONY: release-check
release-check: $(GORELEASER) ## let GoReleaser check its configuration, as make check does
	$(GORELEASER) check

.PHONY: platform
platform: ## write the skeleton of a platform: NAME=example, a code of the catalogue or a new one
	cd deploy && go run ./dev/newplatform $(NAME)

.PHONY: golden
golden: ## rewrite the golden files of the adapters; read the diff before you commit it
	go test $(addprefix ./,$(dir $(wildcard adapters/*/testdata))) -update

# What "relay version" says: a tag, or the commit after it, and whether the checkout was changed.
VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  = $(shell git rev-parse HEAD 2>/dev/null)
BUILT   = $(shell date -u +%Y-%m-%dT%H:%M:%SZ)

.PHONY: build
build: ## build bin/relay, static, with its version
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X relay/cmd.release=$(VERSION) -X relay/cmd.commit=$(COMMIT) -X relay/cmd.built=$(BUILT)' \
		-o bin/relay ./cmd/relay

.PHONY: image
image: ## build the container image marketing-events-relay:VERSION
	docker build -f deploy/Dockerfile --target relay --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) --build-arg BUILT=$(BUILT) \
		-t marketing-events-relay:$(VERSION) .

.PHONY: bench
bench: database ## measure into docs/BENCHMARKS.md, beside bare MySQL and bare Temporal; ONLY="drain rest" measures a part
	$(BUILD_DEV)
	bin/dev bench $(ONLY)

.PHONY: chaos
chaos: database ## kill every part at random moments under load for a quarter of an hour, and check that nothing was lost
	$(BUILD_DEV)
	bin/dev chaos

.PHONY: fuzz
fuzz: ## let every fuzz test look for a bad input, FUZZTIME (20s) each
	@grep -rn '^func Fuzz' --include='*_test.go' . | sed 's|^\(.*\)/[^/]*:[0-9]*:func \(Fuzz[A-Za-z]*\).*|\1 \2|' | while read -r dir name; do \
		echo "$$dir $$name"; go test $$dir -run '^$$' -fuzz "^$$name\$$" -fuzztime $${FUZZTIME:-20s} -fuzzminimizetime 1s || exit 1; done

# A MySQL-compatible server for make dev and make test: taken from the PATH, else installed where that is possible.
.PHONY: database
database:
	@command -v mariadbd mysqld >/dev/null || test -x /usr/sbin/mariadbd || test -x /usr/sbin/mysqld || deploy/dev/install-database.sh

$(GOLANGCI):
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 && mv $(TOOLS)/golangci-lint $@

$(ACTIONLINT):
	GOBIN=$(TOOLS) go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 && mv $(TOOLS)/actionlint $@

$(GORELEASER):
	GOBIN=$(TOOLS) go install github.com/goreleaser/goreleaser/v2@v2.17.0 && mv $(TOOLS)/goreleaser $@

$(WORKFLOWCHECK):
	GOBIN=$(TOOLS) go install go.temporal.io/sdk/contrib/tools/workflowcheck@v0.6.0 && mv $(TOOLS)/workflowcheck $@
