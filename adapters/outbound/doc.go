// Package outbound sends requests to destinations: the relay's only HTTP client. It decides which addresses may be dialled,
// how long an answer may take and how much of it is read, and it tells what went wrong without repeating a URL, which may
// hold a secret. It knows nothing of events or platforms.
package outbound
