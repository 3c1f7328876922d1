package osfile

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"
)

// SyncDir commits the entries of a directory to stable storage. It does nothing where that is
// impossible: Windows has no such call, some file systems return EINVAL or "not supported", and a
// directory that the process may write to but not read cannot be opened.
func (s *System) SyncDir(dir string) error {
	if err := s.before("syncdir", dir); err != nil {
		return Error("syncdir", dir, err)
	}
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return Error("syncdir", dir, err)
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return Error("syncdir", dir, err)
}
