// Package docs holds the Go code of docs/testing.md, which quotes it, as tests that run.
package docs
