package sink

import (
	"io/fs"
	"os"

	"github.com/s3processpool/processpool/internal/openfile"
)

// The system calls a test must be able to fail. Each is the step of that name in SetFault and in the
// Op of the error.

func sysOpen(name string, perm fs.FileMode) (*os.File, error) {
	if err := before("open", name); err != nil {
		return nil, step("open", name, err)
	}
	return openfile.Open(name, os.O_CREATE|os.O_EXCL, perm) // close-on-exec, as every file of package os
}

func sysReopen(name string) (*os.File, error) {
	if err := before("reopen", name); err != nil {
		return nil, step("reopen", name, err)
	}
	return openfile.Open(name, 0, 0)
}

func sysFdatasync(f *os.File) error {
	err := before("fdatasync", f.Name())
	if err == nil {
		err = datasync(f)
	}
	return step("fdatasync", f.Name(), err)
}

func sysStat(f *os.File) (fs.FileInfo, error) {
	if err := before("stat", f.Name()); err != nil {
		return nil, step("stat", f.Name(), err)
	}
	return f.Stat()
}

func sysChmod(f *os.File, perm fs.FileMode) error {
	err := before("chmod", f.Name())
	if err == nil {
		err = f.Chmod(perm)
	}
	return step("chmod", f.Name(), err)
}

func sysTruncate(f *os.File, size int64) error {
	err := before("truncate", f.Name())
	if err == nil {
		err = f.Truncate(size)
	}
	return step("truncate", f.Name(), err)
}

func sysFsync(f *os.File) error {
	err := before("fsync", f.Name())
	if err == nil {
		err = f.Sync()
	}
	return step("fsync", f.Name(), err)
}

// sysClose closes whatever the test says: after an error from close the descriptor is gone too.
func sysClose(f *os.File) error {
	err := before("close", f.Name())
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return step("close", f.Name(), err)
}

func sysRename(from, to string) error {
	if err := before("rename", from); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return os.Rename(from, to)
}

func sysRemove(name string) error {
	err := before("remove", name)
	if err == nil {
		err = os.Remove(name)
	}
	return step("remove", name, err)
}

// step names the system call and the file of an error, once.
func step(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: cause(err)}
}
