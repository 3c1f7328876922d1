// Package processpool downloads Amazon S3 objects with a fixed pool of worker
// processes.
package processpool
