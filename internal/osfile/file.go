package osfile

import (
	"io/fs"
	"os"
)

// Create creates a file and opens it for reading and writing. It returns fs.ErrExist if the name
// is in use. The name of the call is open.
func (s *System) Create(name string, perm fs.FileMode) (*os.File, error) {
	if err := s.before("open", name); err != nil {
		return nil, Error("open", name, err)
	}
	return Open(name, os.O_CREATE|os.O_EXCL, perm)
}

// Reopen opens an existing file for reading and writing.
func (s *System) Reopen(name string) (*os.File, error) {
	if err := s.before("reopen", name); err != nil {
		return nil, Error("reopen", name, err)
	}
	return Open(name, 0, 0)
}

// Stat describes an open file.
func (s *System) Stat(f *os.File) (fs.FileInfo, error) {
	if err := s.before("stat", f.Name()); err != nil {
		return nil, Error("stat", f.Name(), err)
	}
	return f.Stat()
}

// Chmod sets the permissions of an open file.
func (s *System) Chmod(f *os.File, perm fs.FileMode) error {
	err := s.before("chmod", f.Name())
	if err == nil {
		err = f.Chmod(perm)
	}
	return Error("chmod", f.Name(), err)
}

// Truncate sets the size of a file, in bytes.
func (s *System) Truncate(f *os.File, size int64) error {
	err := s.before("truncate", f.Name())
	if err == nil {
		err = f.Truncate(size)
	}
	return Error("truncate", f.Name(), err)
}

// Preallocate sets the size of a file to size bytes, which must be more than zero. Where the file
// system can, it also allocates the blocks of the whole file, so that a full disk is known before
// the first byte is fetched. The names of the calls are fallocate and truncate.
func (s *System) Preallocate(f *os.File, size int64) error { return s.preallocate(f, size) }

// Fsync commits a file's content and metadata to stable storage.
func (s *System) Fsync(f *os.File) error {
	err := s.before("fsync", f.Name())
	if err == nil {
		err = f.Sync()
	}
	return Error("fsync", f.Name(), err)
}

// Datasync commits a file's content to stable storage, and of its metadata only what is needed to
// read it. Where the system has no such call, Datasync does what Fsync does. The name of the call
// is fdatasync.
func (s *System) Datasync(f *os.File) error {
	err := s.before("fdatasync", f.Name())
	if err == nil {
		err = datasync(f)
	}
	return Error("fdatasync", f.Name(), err)
}

// Close closes a file, even if a test makes it fail: the kernel releases the descriptor too when
// close returns an error.
func (s *System) Close(f *os.File) error {
	err := s.before("close", f.Name())
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return Error("close", f.Name(), err)
}

// Rename renames a file. It replaces what the new name had.
func (s *System) Rename(from, to string) error {
	if err := s.before("rename", from); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return os.Rename(from, to)
}

// Remove removes a file.
func (s *System) Remove(name string) error {
	err := s.before("remove", name)
	if err == nil {
		err = os.Remove(name)
	}
	return Error("remove", name, err)
}
