// Package osfile is the one way from this module to the operating system's calls on files.
//
// [System] has the calls of a download in the parent process. A test can make each of them fail.
// The package's functions are the calls that no test needs to fail: opening a journal, locks,
// marks, and write-back in a worker.
//
// Errors are *fs.PathError whose Op is the name of the call; that of a rename or a link is *os.LinkError.
package osfile
