package osfile

import (
	"errors"
	"io/fs"
	"slices"
	"syscall"
)

// Some calls are a service to a file and not part of it: preallocation, fsync, locks, the mark, and
// permissions. A file system or a sandbox may refuse them to a file whose bytes it stores well:
// fallocate returns EPERM in AWS Lambda, fsync ENOTSUP on some network file systems. Two questions
// tell such a refusal from a fault:
//
//   - OfStorage: the storage is full or broken. It is an error of the download, whichever call
//     reports it.
//   - Cannot: the call is not available for this file. The download goes on without the service.
//
// An error that is neither depends on the call. For preallocation and permissions it is no error of
// the download: if the file is in trouble, a write reports it. For fsync it is one, because only
// fsync reports that written bytes were lost.

// OfStorage reports whether err says that the storage is full, over a quota or broken, or that the
// file is too large for it.
func OfStorage(err error) bool { return matches(err, ofStorage) }

// Cannot reports whether err says that the file system or a sandbox does not offer a call:
// "not supported" in all its spellings, including those of fsync(2) for a file that does not
// support synchronization (EINVAL, EROFS), and "not permitted", as a seccomp filter puts it.
func Cannot(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || matches(err, cannot)
}

// Optional returns nil if err is an error of a service call and says nothing about the storage. An
// error that is not of the system, such as that of a closed file, stays.
func Optional(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) && !OfStorage(err) {
		return nil
	}
	return err
}

func matches(err error, list []error) bool {
	return slices.ContainsFunc(list, func(target error) bool { return errors.Is(err, target) })
}

// Error returns a *fs.PathError with the given step and file and the cause of err, so that an
// error names a step and a file only once. It returns nil if err is nil.
func Error(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: Cause(err)}
}

// Cause returns the error inside a *fs.PathError, or err if there is none.
func Cause(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
