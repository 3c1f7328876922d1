package sink

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// ErrNotRegular is matched by every error that refuses a destination because of what is there: a
// directory (which matches syscall.EISDIR too), a device, a named pipe, a socket.
var ErrNotRegular = errors.New("not a regular file")

// refusal is an error whose text is for people and which programs know by what it matches.
type refusal struct {
	text    string
	matches []error
}

func (r *refusal) Error() string { return r.text }

func (r *refusal) Is(target error) bool { return slices.Contains(r.matches, target) }

// regular refuses everything but a regular file.
func regular(info fs.FileInfo) error {
	mode := info.Mode()
	text, matches := "is of an unknown kind", []error{ErrNotRegular}
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

// present looks at the destination itself, through no link: whatever rename would replace. No file is
// no error.
func (t Target) present() (fs.FileInfo, error) {
	info, err := os.Lstat(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := regular(info); err != nil {
		return nil, &fs.PathError{Op: "resolve", Path: t.path, Err: err}
	}
	return info, nil
}
