package sink

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"unicode/utf8"
)

// Target is a destination that was found fit. It is a plain value and holds nothing open.
type Target struct {
	path string // absolute; no symbolic link at its end
}

// Path is where the file will appear: absolute, and for a symbolic link the file it points to.
func (t Target) Path() string { return t.path }

func (t Target) dir() string {
	dir, _ := filepath.Split(t.path) // Dir would tidy it
	return dir
}

// maxLinks is how many symbolic links in a row Linux follows (MAXSYMLINKS); others follow fewer.
const maxLinks = 40

// Resolve checks a destination and touches nothing. The directory must exist; the file need not, but
// what is there must be a regular file. A symbolic link is followed, also one that points to nothing
// yet: the file it points to is the target.
//
// A relative name is relative to the working directory of now, whatever it is when the file is made.
func Resolve(filename string) (Target, error) {
	path, err := resolve(filename)
	if err != nil {
		return Target{}, &fs.PathError{Op: "resolve", Path: filename, Err: err}
	}
	return Target{path}, nil
}

func resolve(filename string) (string, error) {
	switch {
	case filename == "":
		return "", &refusal{"the file name is empty", []error{syscall.EINVAL, fs.ErrInvalid}}
	case strings.IndexByte(filename, 0) >= 0:
		return "", &refusal{"the file name contains a NUL", []error{syscall.EINVAL, fs.ErrInvalid}}
	case os.IsPathSeparator(filename[len(filename)-1]):
		return "", &refusal{"the file name ends in a separator, as that of a directory", []error{ErrNotRegular, syscall.EISDIR}}
	}
	path, err := absolute(filename)
	if err != nil {
		return "", err
	}
	// What is there already is named as what it is, however many links lead to it. Any error here comes
	// again where the links are followed one by one.
	info, err := os.Stat(path)
	if err == nil {
		if err := regular(info); err != nil {
			return "", err
		}
	}
	path, err = follow(path)
	if err != nil {
		return "", err
	}
	// A link in /proc/self/fd leads to an open file, which may have lost its name; its text is for people.
	if last, err := os.Lstat(path); info != nil && (err != nil || !os.SameFile(info, last)) {
		return "", &refusal{"the link cannot be followed by name", []error{ErrNotRegular}}
	}
	return path, directory(Target{path}.dir())
}

// follow replaces a symbolic link by what it points to until there is none at the end of the path.
func follow(path string) (string, error) {
	for range maxLinks + 1 {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		if err != nil {
			return "", cause(err)
		}
		link, err := os.Readlink(path)
		if err != nil {
			return "", cause(err)
		}
		if !filepath.IsAbs(link) {
			dir, _ := filepath.Split(path)
			link = dir + link
		}
		if os.IsPathSeparator(link[len(link)-1]) {
			return "", &refusal{"the link points to a directory", []error{ErrNotRegular, syscall.EISDIR}}
		}
		if path, err = absolute(link); err != nil {
			return "", err
		}
	}
	return "", syscall.ELOOP
}

// directory refuses a parent that is missing or none.
func directory(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("directory %s: %w", dir, cause(err))
	}
	if !info.IsDir() {
		return fmt.Errorf("directory %s: %w", dir, syscall.ENOTDIR)
	}
	return nil
}

// absolute does not tidy a name with "..": a directory that is a symbolic link has another parent than
// its name says, and only the system knows it. (Windows goes by the name.)
func absolute(name string) (string, error) {
	if runtime.GOOS == "windows" || !hasParent(name) {
		return filepath.Abs(name)
	}
	if filepath.IsAbs(name) {
		return name, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return dir + string(filepath.Separator) + name, nil
}

// hasParent reports whether one of the elements of path is "..".
func hasParent(path string) bool {
	isSeparator := func(r rune) bool { return r < utf8.RuneSelf && os.IsPathSeparator(uint8(r)) }
	for element := range strings.FieldsFuncSeq(path, isSeparator) {
		if element == ".." {
			return true
		}
	}
	return false
}

// cause strips the step and the name from an error that gets others.
func cause(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
