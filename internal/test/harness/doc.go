// Package harness holds what the black-box test suites share: an S3 origin and a Downloader for a
// test, options, waiting with a limit, and checks of files, requests, errors and logs.
//
// A function that takes a *testing.T ends the test on an error of its own, unless its comment says
// otherwise. The hooks that change the library under test are in hooks.go.
package harness
