package osfile

import (
	"sync"
	"sync/atomic"
	"time"
)

// System makes the system calls of a download. A nil *System, or the zero value, is the plain
// operating system. A System may be used by several goroutines at the same time, and must not be
// copied.
type System struct {
	// Wait is for tests, and must not change once the System is in use: WritersWait returns it
	// unless it is 0.
	Wait time.Duration

	fault atomic.Pointer[func(op, path string) error]
	syncs sync.Map // devices whose file systems can sync; see CanSync
}

// SetFault is for tests. Before each call that can fail, the System calls f with the name of the
// call and of the file. If f returns an error, the System returns that error instead of making the
// call; only close is made anyway, as the kernel does. A nil f removes the faults. The returned
// function restores the previous state. SetFault panics if s is nil.
//
// The names are open, stat, chmod, chtimes, fallocate, truncate, fsync, close, rename, link, remove,
// reopen, direct, seal, lease, fdatasync, and syncdir, for which path is the directory. Only Linux and macOS have fallocate, and
// only Linux has seal and lease.
// Unless its error is OfStorage, truncate follows. Where fdatasync Cannot, fsync follows. Where rename
// cannot leave an existing file alone, link and remove follow (RenameNew).
func (s *System) SetFault(f func(op, path string) error) (restore func()) {
	var next *func(op, path string) error
	if f != nil {
		next = &f
	}
	previous := s.fault.Swap(next)
	return func() { s.fault.Store(previous) }
}

// before returns the error that a test wants the call to fail with.
func (s *System) before(op, path string) error {
	if s == nil {
		return nil
	}
	if f := s.fault.Load(); f != nil {
		return (*f)(op, path)
	}
	return nil
}
