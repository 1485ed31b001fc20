// Package checks proves what can be proven of docker-compose.temporal.yml, the Dockerfile and the Kubernetes manifests
// without a container engine or a cluster: that they say what they mean, name what exists, and agree with the relay. It is a
// module of its own, so that kustomize and the types of Kubernetes stay out of the others.
package checks
