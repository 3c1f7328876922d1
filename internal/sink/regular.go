package sink

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/osfile"
)

// ErrNotRegular is matched by every error that rejects a file because of its type: a directory
// (which also matches syscall.EISDIR), a device, a named pipe, a socket.
var ErrNotRegular = errors.New("not a regular file")

// refusal is an error with a text for people and the errors that it matches for programs.
type refusal struct {
	text    string
	matches []error
}

func (r *refusal) Error() string { return r.text }

func (r *refusal) Is(target error) bool { return slices.Contains(r.matches, target) }

// Regular returns nil for a regular file, and an error that matches ErrNotRegular for any other.
func Regular(info fs.FileInfo) error {
	mode := info.Mode()
	text, matches := "has an unknown type", []error{ErrNotRegular}
	switch {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		text, matches = "is a directory", append(matches, syscall.EISDIR)
	case mode&fs.ModeSymlink != 0:
		text = "is a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		text = "is a named pipe"
	case mode&fs.ModeSocket != 0:
		text = "is a socket"
	case mode&fs.ModeDevice != 0:
		text = "is a device"
	}
	return &refusal{text + ", not a regular file", matches}
}

// Present describes the file at the destination, which Publish would replace. It returns nil if
// there is none, and an error that matches ErrNotRegular if it is not a regular file. With NoClobber,
// a regular file is an error that matches failure.ErrExists. Present does not follow a symbolic link:
// rename does not either.
func (t Target) Present() (fs.FileInfo, error) {
	info, err := os.Lstat(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := Regular(info); err != nil {
		return nil, osfile.Error("resolve", t.path, err)
	}
	if t.fresh {
		return nil, osfile.Error("resolve", t.path, failure.ErrExists)
	}
	return info, nil
}
