package osfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Rename renames a file. It replaces what the new name had.
func (s *System) Rename(from, to string) error {
	if err := s.before("rename", from); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return os.Rename(from, to)
}

// RenameNew renames a file to a name that is free. It returns an error that matches fs.ErrExist, and
// changes nothing, if something has the name, whenever that came there: the system decides it in one
// step. The name of the call is rename.
//
// Where a file system has no such rename, RenameNew makes a second name and removes the first, which
// are the calls link and remove. A first name that cannot be removed stays, and is no error: the file
// has the other.
func (s *System) RenameNew(from, to string) error {
	err := s.before("rename", from)
	if err == nil {
		err = renameNew(from, to)
	}
	switch {
	case err == nil:
		return nil
	case !lacksRename(err):
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	if err := s.link(from, to); err != nil {
		return err
	}
	s.Remove(from)
	return nil
}

// lacksRename reports whether an error says that there is no rename to a free name only: the
// kernel (ENOSYS), the file system (EINVAL on Linux, ENOTSUP on macOS) or a seccomp filter (EPERM)
// does not know it. If EPERM is about the files, link returns it too.
func lacksRename(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EPERM)
}

// link gives a file a second name. NFS may report that the name exists, because its server has made
// the link and the answer was lost: the file tells
// (https://man7.org/linux/man-pages/man2/open.2.html, O_EXCL).
func (s *System) link(from, to string) error {
	if err := s.before("link", from); err != nil {
		return &os.LinkError{Op: "link", Old: from, New: to, Err: err}
	}
	err := os.Link(from, to)
	if errors.Is(err, fs.ErrExist) && same(from, to) {
		return nil
	}
	return err
}

// same reports whether two names are of one file.
func same(a, b string) bool {
	x, err := os.Lstat(a)
	y, also := os.Lstat(b)
	return err == nil && also == nil && os.SameFile(x, y)
}
