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

	"github.com/s3processpool/processpool/internal/osfile"
)

// Target is a destination that Resolve has checked. It is a plain value and holds nothing open.
type Target struct {
	path    string // absolute; its last element is not a symbolic link
	sys     *osfile.System
	durable bool        // its files must be synced
	fresh   bool        // its files replace none
	direct  bool        // its files have a second descriptor
	mode    fs.FileMode // permissions of its files; 0: those of the file that is replaced, or of a new one
}

// Path returns where the file will appear: an absolute path. If the destination is a symbolic link,
// it is the path of the file that the link points to.
func (t Target) Path() string { return t.path }

// System returns the System that was given to Resolve.
func (t Target) System() *osfile.System { return t.sys }

// Durable returns a Target whose files must be synced. Where the file system cannot sync, creating
// or preparing a file returns an error that matches ErrCannotSync, before any byte is written.
func (t Target) Durable() Target {
	t.durable = true
	return t
}

// NoClobber returns a Target whose files replace none: where there is a file, Present, and all that
// create and publish, return an error that matches failure.ErrExists.
func (t Target) NoClobber() Target {
	t.fresh = true
	return t
}

// WithMode returns a Target whose files are published with exactly these permission bits, whatever
// the umask. A file that cannot have them is an error, if it can before any byte is written. 0 changes
// nothing.
func (t Target) WithMode(perm fs.FileMode) Target {
	t.mode = perm
	return t
}

func (t Target) dir() string {
	dir, _ := filepath.Split(t.path) // filepath.Dir would clean the path
	return dir
}

// maxLinks is how many symbolic links in a row Linux follows (MAXSYMLINKS). Other systems follow
// fewer.
const maxLinks = 40

// Resolve checks a destination and changes nothing. The directory must exist. The file need not
// exist, but if it does, it must be a regular file. Resolve follows a symbolic link, even if there
// is no file yet where the link points to: that path is the target. It follows no link, anywhere in
// the path, that another user may have put there (osfile.MayFollow).
//
// A relative name is resolved against the current working directory. A later change of the working
// directory has no effect on the Target.
//
// The Target creates and changes its files with sys. A nil sys is the plain operating system.
func Resolve(sys *osfile.System, filename string) (Target, error) {
	path, err := resolve(filename)
	if err != nil {
		return Target{}, &fs.PathError{Op: "resolve", Path: filename, Err: err}
	}
	return Target{path: path, sys: sys}, nil
}

// Absolute returns the absolute path of a destination, by the current working directory. It looks at
// nothing but the name, and returns the error that Resolve would return for it.
func Absolute(filename string) (string, error) {
	path, err := absoluteName(filename)
	if err != nil {
		return "", &fs.PathError{Op: "resolve", Path: filename, Err: err}
	}
	return path, nil
}

func absoluteName(filename string) (string, error) {
	switch {
	case filename == "":
		return "", &refusal{"the file name is empty", []error{syscall.EINVAL, fs.ErrInvalid}}
	case strings.IndexByte(filename, 0) >= 0:
		return "", &refusal{"the file name contains a NUL", []error{syscall.EINVAL, fs.ErrInvalid}}
	case os.IsPathSeparator(filename[len(filename)-1]):
		return "", asDirectory("the file name ends in a separator and so names a directory")
	}
	return absolute(filename)
}

func resolve(filename string) (string, error) {
	path, err := absoluteName(filename)
	if err != nil {
		return "", err
	}
	// This reports the type of an existing file, whatever links lead to it. An error of Stat occurs
	// again below, where the links are followed one by one.
	info, err := os.Stat(path)
	if err == nil {
		if err := Regular(info); err != nil {
			return "", err
		}
	}
	path, err = follow(path)
	if err != nil {
		return "", err
	}
	if err := checkLinks(Target{path: path}.dir()); err != nil {
		return "", err
	}
	// A link in /proc/self/fd leads to an open file, which may no longer have a name. The text of
	// such a link need not be a path.
	if info != nil {
		if last, err := os.Lstat(path); err != nil || !os.SameFile(info, last) {
			return "", &refusal{"the link cannot be followed by name", []error{ErrNotRegular}}
		}
	}
	return path, directory(Target{path: path}.dir())
}

// asDirectory returns the error for a name that only a directory can have.
func asDirectory(text string) error {
	return &refusal{text, []error{ErrNotRegular, syscall.EISDIR}}
}

// follow replaces a symbolic link at the end of the path by the path that it points to, until there
// is none.
func follow(path string) (string, error) {
	for range maxLinks + 1 {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		if err == nil {
			err = checkLink(path, info)
		}
		if err != nil {
			return "", osfile.Cause(err)
		}
		link, err := os.Readlink(path)
		if err != nil {
			return "", osfile.Cause(err)
		}
		if !filepath.IsAbs(link) {
			dir, _ := filepath.Split(path)
			link = dir + link
		}
		if os.IsPathSeparator(link[len(link)-1]) {
			return "", asDirectory("the link points to a directory")
		}
		if path, err = absolute(link); err != nil {
			return "", err
		}
	}
	return "", syscall.ELOOP
}

// directory returns an error if dir does not exist or is not a directory.
func directory(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("directory %s: %w", dir, osfile.Cause(err))
	}
	if !info.IsDir() {
		return fmt.Errorf("directory %s: %w", dir, syscall.ENOTDIR)
	}
	return nil
}

// absolute returns an absolute path. It does not clean a name with "..": the parent of a directory
// that is a symbolic link is not the one that its name suggests, and only the system knows it.
// Windows resolves ".." by name, so there absolute cleans every name.
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
