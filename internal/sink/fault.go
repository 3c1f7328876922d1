package sink

import "sync/atomic"

var fault atomic.Pointer[func(op, path string) error]

// SetFault is for tests. Before each system call that can fail, f is told its name and the file; an
// error from it takes the place of the call, which is not made (only close is made all the same, as
// the kernel does). It returns what puts back the state before; nil is no faults.
//
// The names: open, stat, chmod, fallocate, truncate, fsync, close, rename and remove for the temporary
// file, with reopen and fdatasync for a partial one, and syncdir, with the directory, for its last step. Linux and macOS have fallocate; where an
// error from it means that the file system has not, truncate takes its place.
func SetFault(f func(op, path string) error) (restore func()) {
	var next *func(op, path string) error
	if f != nil {
		next = &f
	}
	previous := fault.Swap(next)
	return func() { fault.Store(previous) }
}

// before asks the test, if there is one, whether the call fails.
func before(op, path string) error {
	if f := fault.Load(); f != nil {
		return (*f)(op, path)
	}
	return nil
}
