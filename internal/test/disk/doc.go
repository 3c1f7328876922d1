// Package disk gives tests file systems that the machine's own is not: one that is full, one that
// equates names that differ by case, one without fsync. All need privileges to mount, and Linux.
//
// A helper that cannot do its work skips the test and says why. Where CI is "true", it fails the
// test instead if the machine could do it: programs that are missing are installed by .ci/run.
//
// The file system of [Mount] is a FUSE server of this package. It is the test binary itself, run
// again, because a process that serves a file system must not use it (a call of one thread would
// wait for another that a garbage collection has stopped).
package disk
