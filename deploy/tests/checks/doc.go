// Package checks tests docker-compose.temporal.yml, the Dockerfile and the Kubernetes manifests without a container engine
// or a cluster: that they are valid, name existing things, and agree with the relay.
package checks
