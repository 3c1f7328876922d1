// Package lock keeps two processes, or two downloads of one process, from the same
// file: an advisory lock on the open file (flock(2)). The system takes it back when the last
// descriptor of that open file is closed, however its holder ends; a descriptor that was passed to
// another process counts.
package lock
