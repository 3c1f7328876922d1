package osfile

import (
	"errors"
	"io/fs"
	"runtime"
)

// SyncDir commits the entries of a directory to stable storage. It does nothing where that is
// impossible: Windows has no such call, some file systems have it for files only (Cannot), and a
// directory that the process may write to but not read cannot be opened. That is no error with
// Durable either, unlike an fsync of the file that is impossible: the file is in place by then,
// and file systems without the call either write entries at once or have no better answer.
func (s *System) SyncDir(dir string) error {
	if err := s.before("syncdir", dir); err != nil {
		if Cannot(err) {
			return nil
		}
		return Error("syncdir", dir, err)
	}
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := openDir(dir)
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
	if Cannot(err) {
		return nil
	}
	return Error("syncdir", dir, err)
}
