package osfile

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// ErrWriters means that somebody has a file open for writing.
var ErrWriters = errors.New("the file is open for writing in another process")

// TellsWriters reports whether this system can tell who has a file open for writing.
const TellsWriters = tellsWriters

// Reader opens a file of this library for reading, as OpenOwn does. The name of the call is seal.
func (s *System) Reader(name string) (*os.File, error) {
	if err := s.before("seal", name); err != nil {
		return nil, Error("seal", name, err)
	}
	f, err := openReader(name)
	if errors.Is(err, fs.ErrPermission) && giveOwner(name) {
		return openReader(name)
	}
	return f, err
}

// NoWriters returns nil if no process has the file open for writing, and ErrWriters if one has. A
// descriptor counts wherever it is: a copy of it, a shared mapping of the file that was made with
// it, one that waits in a socket. f must be open for reading only; created is what Stat told when
// the file was created. The name of the call is lease.
//
// Where the file system cannot tell, NoWriters returns nil.
func (s *System) NoWriters(f *os.File, created fs.FileInfo) error {
	err := s.before("lease", f.Name())
	if err == nil {
		err = noWriters(f, created)
	}
	if errors.Is(err, ErrWriters) {
		return Error("lease", f.Name(), err)
	}
	return Error("lease", f.Name(), Optional(err))
}

// WritersWait returns how long to wait until nobody has a file open for writing: 5 s. A worker closes
// a file before it answers, but a process that is being started has copies of all descriptors until
// its exec (https://man7.org/linux/man-pages/man2/fork.2.html).
func (s *System) WritersWait() time.Duration {
	if s == nil || s.Wait == 0 {
		return 5 * time.Second
	}
	return s.Wait
}
