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
	return Open(name, os.O_CREATE, perm)
}

// Reopen opens an existing file of this library for reading and writing, as OpenOwn does.
func (s *System) Reopen(name string) (*os.File, error) {
	if err := s.before("reopen", name); err != nil {
		return nil, Error("reopen", name, err)
	}
	return OpenOwn(name, 0, 0)
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

// Close closes a file, even if a test makes it fail: the kernel releases the descriptor too when
// close returns an error.
func (s *System) Close(f *os.File) error {
	err := s.before("close", f.Name())
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return Error("close", f.Name(), err)
}

// Remove removes a file.
func (s *System) Remove(name string) error {
	err := s.before("remove", name)
	if err == nil {
		err = os.Remove(name)
	}
	return Error("remove", name, err)
}
