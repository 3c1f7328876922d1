// Package tree is a directory that files are put below, and not elsewhere, whatever
// symbolic links and other names lie in it.
package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/s3processpool/processpool/internal/keypath"
)

// Tree is an open directory. One goroutine owns it, and closes it. Names are relative
// to it, with slashes, and free of what keypath refuses.
type Tree struct {
	root *os.Root
	base string // absolute, no symbolic link in it

	alike bool // names that differ in case, or in Unicode normalisation, are one file
	made  map[uint64]struct{}
}

// Absolute is dir seen from the working directory of now. Except on Windows it is not
// tidied: what is above a symbolic link is not what its name says.
func Absolute(dir string) (string, error) {
	if runtime.GOOS == "windows" {
		return filepath.Abs(dir)
	}
	if filepath.IsAbs(dir) {
		return dir, nil
	}
	wd, err := os.Getwd()
	return wd + "/" + dir, err
}

// Check refuses what is there and no directory. It touches nothing.
func Check(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return &fs.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
	}
	return nil
}

// Open opens a directory, which it makes if it must, with those above it.
func Open(dir string) (*Tree, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	base, err := filepath.EvalSymlinks(dir)
	if err == nil {
		base, err = filepath.Abs(base)
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	return &Tree{root: root, base: base, alike: alike(root), made: map[uint64]struct{}{}}, nil
}

// Close lets the directory go.
func (t *Tree) Close() error { return t.root.Close() }

// Stat returns what is at name, behind links that stay inside.
func (t *Tree) Stat(name string) (fs.FileInfo, error) { return t.root.Stat(name) }

// Chtimes sets the modification time of what is at name.
func (t *Tree) Chtimes(name string, modified time.Time) error {
	return t.root.Chtimes(name, time.Time{}, modified)
}

// Mkdir makes a directory, with those above it. It may be there already.
func (t *Tree) Mkdir(name string) error {
	if err := t.root.MkdirAll(name, 0o777); err != nil {
		return refused(err)
	}
	info, err := t.root.Stat(name)
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "mkdir", Path: name, Err: syscall.ENOTDIR}
	}
	return refused(err)
}

// Place makes the directories above name and returns the file's whole path, free of
// links but for one at its end that stays inside.
//
// The path is then used as a path. Who may write below the directory can, between
// this look and the rename that publishes the file, put a link in the place of a
// directory, and so have it made elsewhere; os.Root has no descriptor that a
// temporary file, its rename and its removal could all go by.
func (t *Tree) Place(name string) (string, error) {
	dir, base := path.Split(name)
	dir = path.Clean(dir)
	if err := t.Mkdir(dir); err != nil {
		return "", err
	}
	info, err := t.root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", refused(err)
	case info.IsDir():
		return "", fmt.Errorf("%w: a directory is where its file must be: %w", keypath.ErrUnsafe, syscall.EISDIR)
	case t.has(info):
		return "", fmt.Errorf("%w: this file system takes its name for that of another key, which has its file already", keypath.ErrUnsafe)
	}
	parent, err := t.resolve(dir)
	if err != nil {
		return "", err
	}
	return filepath.Join(parent, base), nil
}

// resolve returns the path of a directory that Mkdir has made, and makes sure that it
// is the same one by path.
func (t *Tree) resolve(dir string) (string, error) {
	resolved, err := filepath.EvalSymlinks(filepath.Join(t.base, filepath.FromSlash(dir)))
	if err != nil {
		return "", err
	}
	if inside, err := filepath.Rel(t.base, resolved); err != nil || !filepath.IsLocal(inside) {
		return "", errEscapes
	}
	byRoot, err := t.root.Stat(dir)
	if err != nil {
		return "", refused(err)
	}
	byPath, err := os.Stat(resolved)
	if err != nil {
		return "", err
	}
	if !os.SameFile(byRoot, byPath) {
		return "", fmt.Errorf("%s was replaced meanwhile", resolved)
	}
	return resolved, nil
}

var errEscapes = fmt.Errorf("%w: a symbolic link leads out of the directory", keypath.ErrUnsafe)

// refused names the ways in which a key has no place. An os.Root's own refusal, to
// follow a link out, has no errno (and no name: os.errPathEscapes).
func refused(err error) error {
	var errno syscall.Errno
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &errno):
		return errEscapes
	case errno == syscall.ENOTDIR, errors.Is(err, fs.ErrExist): // Mkdir's and MkdirAll's of os.Root
		at := &fs.PathError{}
		errors.As(err, &at)
		return fmt.Errorf("%w: a file is where a directory must be: %w", keypath.ErrUnsafe, &fs.PathError{Op: "mkdir", Path: at.Path, Err: syscall.ENOTDIR})
	}
	return err
}
