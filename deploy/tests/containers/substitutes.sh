# Sourced by run.sh: makes the public images that docker-compose.temporal.yml and deploy/Dockerfile name, unless the engine has them
# of the same parts. Each runs the real program where that can be had here; README.md has the differences.
parts=$cache/root
images=$(grep -hoE '^ +image: [a-z/-]+:v?[0-9.]+$|^FROM --platform=\S+ \S+' docker-compose.temporal.yml deploy/Dockerfile | awk '{print $NF}' | sort -u)
image() { echo "$images" | grep -E "^$1:"; }

# have says whether the engine has an image of these parts: files, or texts.
have() { # image, parts...
	local name=$1
	shift
	inputs=$(for part in "$@"; do if [ -f "$part" ]; then sha256sum <"$part"; else echo "$part"; fi; done | sha256sum | cut -c 1-16)
	[ "$(docker image inspect --format '{{index .Config.Labels "inputs"}}' "$name" 2>/dev/null)" = "$inputs" ]
}

# import makes an image of folder/ of the arguments, without a builder. have was called before.
import() { # image, folder, changes...
	local name=$1 folder=$2 change changes=()
	shift 2
	for change in "$@" "LABEL inputs=$inputs"; do changes+=(--change "$change"); done
	tar -C "$folder" -c . | docker import "${changes[@]}" - "$name" >/dev/null
}

# layer makes an image of the base and a folder.
layer() { # image, folder, changes...
	local name=$1 folder=$2 change changes=() container
	shift 2
	for change in "$@" "LABEL inputs=$inputs"; do changes+=(--change "$change"); done
	container=$(docker create "$base" true)
	docker cp "$folder/." "$container:/"
	docker commit "${changes[@]}" "$container" "$name" >/dev/null
	docker rm "$container" >/dev/null
}

# Debian with a shell: the loader and libraries, and busybox for everything else.
base=containers-base:latest
if ! have "$base" "$here/substitutes.sh" "$parts/usr/sbin/mysqld"; then
	for folder in bin sbin lib lib64; do [ -e "$parts/$folder" ] || ln -s "usr/$folder" "$parts/$folder"; done
	for applet in $("$parts/usr/bin/busybox" --list); do
		[ -e "$parts/usr/bin/$applet" ] || [ -e "$parts/usr/sbin/$applet" ] || ln -s busybox "$parts/usr/bin/$applet"
	done
	mkdir -p "$parts"/{tmp,run,proc,sys,dev,root,var/tmp,etc}
	chmod 1777 "$parts/tmp" "$parts/var/tmp"
	printf 'root:x:0:0::/root:/bin/sh\nmysql:x:999:999::/:/bin/sh\ntemporal:x:1000:1000::/:/bin/sh\n' >"$parts/etc/passwd"
	printf 'root:x:0:\nmysql:x:999:\ntemporal:x:1000:\n' >"$parts/etc/group"
	echo 'hosts: files dns' >"$parts/etc/nsswitch.conf"
	import "$base" "$parts"
fi

# stage copies files into a new folder: pairs of a file and its path in the image, all executable.
stage() {
	rm -rf "$run/stage"
	while [ $# -gt 0 ]; do
		install -D -m 755 "$1" "$run/stage/$2"
		shift 2
	done
}

mysql=$(image mysql)
if ! have "$mysql" "$base" "$here/mysql-entrypoint.sh" "$(docker image inspect --format '{{.Id}}' "$base")"; then
	stage $here/mysql-entrypoint.sh usr/local/bin/docker-entrypoint.sh
	layer "$mysql" "$run/stage" 'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["mysqld"]' 'VOLUME /var/lib/mysql' 'EXPOSE 3306'
fi

server=$(image temporalio/server)
if ! have "$server" "$(docker image inspect --format '{{.Id}}' "$base")" "$cache/temporal/temporal-server" "$here/nc.sh"; then
	stage "$cache/temporal/temporal-server" usr/local/bin/temporal-server "$cache/temporal/entrypoint.sh" etc/temporal/entrypoint.sh $here/nc.sh usr/local/bin/nc
	layer "$server" "$run/stage" 'USER temporal' 'WORKDIR /etc/temporal' 'CMD ["/etc/temporal/entrypoint.sh"]'
fi

tools=$(image temporalio/admin-tools)
if ! have "$tools" "$(docker image inspect --format '{{.Id}}' "$base")" "$cache/temporal/temporal-sql-tool" "$here/temporal.sh"; then
	stage "$cache/temporal/temporal-sql-tool" usr/local/bin/temporal-sql-tool $here/temporal.sh usr/local/bin/temporal
	layer "$tools" "$run/stage" 'USER temporal'
fi

ui=$(image temporalio/ui)
if ! have "$ui" "$(docker image inspect --format '{{.Id}}' "$base")" "$cache/temporal/ui-server"; then
	stage "$cache/temporal/ui-server" home/ui-server/ui-server "$cache/temporal/start-ui-server.sh" home/ui-server/start-ui-server.sh \
		"$cache/temporal/docker.yaml" home/ui-server/config/docker.yaml
	layer "$ui" "$run/stage" 'USER temporal' 'WORKDIR /home/ui-server' 'CMD ["./start-ui-server.sh"]'
fi

# Go of this machine, with busybox. Its proxy is this machine's modules, served on the engine's bridge.
go=$(image golang)
goroot=$(go env GOROOT)
if ! have "$go" "$(go version)" "$here/substitutes.sh" "$parts/usr/bin/busybox"; then
	stage "$parts/usr/bin/busybox" bin/busybox /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/ca-certificates.crt
	for applet in $("$parts/usr/bin/busybox" --list); do [ -e "$run/stage/bin/$applet" ] || ln -s busybox "$run/stage/bin/$applet"; done
	mkdir -p "$run/stage/usr/local/go" "$run/stage/tmp" "$run/stage/root" "$run/stage/go"
	cp -r "$goroot"/{bin,lib,pkg,src,go.env,VERSION} "$run/stage/usr/local/go/"
	import "$go" "$run/stage" 'ENV PATH=/usr/local/go/bin:/bin GOPATH=/go HOME=/root GOPROXY=http://10.213.0.1:8081'
fi
rm -rf "$run/stage"
"$parts/usr/bin/busybox" httpd -p 10.213.0.1:8081 -h "$(go env GOMODCACHE)/cache/download"
