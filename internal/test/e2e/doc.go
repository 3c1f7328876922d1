// Package e2e tests the library from outside, through its public API: a Downloader, its worker
// processes and an S3 origin. Package faults holds what goes wrong below the API, package upstream
// the tests that are carried over from s3transfer.
package e2e
