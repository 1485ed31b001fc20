// Package outbound sends requests to destinations: the relay's only HTTP client. It decides which addresses may be dialled,
// how long a response may take and how much of it is read. Its errors never repeat a URL, which may hold a secret. It
// knows nothing of events or platforms.
package outbound
