package sink

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"
)

// sysSyncDir syncs a directory. Some things cannot be: Windows has no such call; file systems without
// it say EINVAL or "not supported"; and a directory one may write to but not read cannot be opened.
func sysSyncDir(dir string) error {
	if err := before("syncdir", dir); err != nil {
		return step("syncdir", dir, err)
	}
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return step("syncdir", dir, err)
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return step("syncdir", dir, err)
}
