// Package tree creates files below a directory and never outside it, whatever symbolic links the
// directory contains.
package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/s3processpool/processpool/internal/keypath"
)

// Tree is an open directory. The caller must call Close. Names are relative to the directory, have
// slashes between their segments, and must be valid for package keypath.
//
// A Tree is not safe for concurrent use.
type Tree struct {
	root *os.Root
	base string // absolute, without symbolic links

	dirs map[string]*directory   // by name
	same map[identity]*directory // those that exist
	made map[identity]struct{}   // files
}

// identity is the number of a file system, and of a file in it.
type identity struct{ device, file uint64 }

// Absolute makes dir absolute by joining it to the current working directory. Except on Windows it
// does not clean the path: cleaning removes "link/..", but the parent of a link's target is another
// directory.
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

// Check returns an error if dir exists and is not a directory. It changes nothing.
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

// Open opens a directory. It creates the directory and its parents if they do not exist.
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
	return &Tree{
		root: root,
		base: base,
		dirs: map[string]*directory{},
		same: map[identity]*directory{},
		made: map[identity]struct{}{},
	}, nil
}

// Close closes the directory.
func (t *Tree) Close() error { return t.root.Close() }

// Stat returns the file information of name. It follows links that stay inside the directory.
func (t *Tree) Stat(name string) (fs.FileInfo, error) { return t.root.Stat(name) }

// Chtimes sets the modification time of name. A file system that cannot is an error: a caller that
// asks for the time relies on it, for example to skip the file later.
func (t *Tree) Chtimes(name string, modified time.Time) error {
	return t.root.Chtimes(name, time.Time{}, modified)
}

// Mkdir creates a directory and its parents. It returns nil if the directory already exists.
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

// Place creates the directories above name and returns the absolute path of the file. The path
// contains no symbolic link, except that its last element may be a link that stays inside.
//
// The caller uses the result as a path. Between this check and the rename that publishes the file,
// another process with write access can replace a directory with a link, and the file is then
// created elsewhere. os.Root offers no way to create, rename and remove a temporary file through
// one descriptor.
func (t *Tree) Place(name string) (string, error) {
	dir, base := split(name)
	if err := t.Mkdir(dir); err != nil {
		return "", err
	}
	t.directory(dir) // it exists now: whether it folds is known from the first file on
	info, err := t.root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", refused(err)
	case info.IsDir():
		return "", fmt.Errorf("%w: a directory exists at the path of its file: %w", keypath.ErrUnsafe, syscall.EISDIR)
	case t.has(name, info):
		return "", fmt.Errorf("%w: its name leads to the file of another key: the file system equates them, or there is a symbolic link", keypath.ErrUnsafe)
	}
	parent, err := t.resolve(dir)
	if err != nil {
		return "", err
	}
	return filepath.Join(parent, base), nil
}

// resolve returns the path of a directory that Mkdir has created, and checks that the path leads to
// that directory.
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
		return "", fmt.Errorf("%s was replaced during the check", resolved)
	}
	return resolved, nil
}

var errEscapes = fmt.Errorf("%w: a symbolic link leads out of the directory", keypath.ErrUnsafe)

// refused wraps an error of os.Root in keypath.ErrUnsafe if the key is its cause. os.Root's refusal
// to follow a link that leads outside has no errno and no exported variable (os.errPathEscapes).
func refused(err error) error {
	var errno syscall.Errno
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &errno):
		return errEscapes
	case errno == syscall.ENOTDIR, errors.Is(err, fs.ErrExist): // os.Root's Mkdir and MkdirAll
		at := &fs.PathError{}
		errors.As(err, &at)
		return fmt.Errorf("%w: a file exists at the path of a directory: %w", keypath.ErrUnsafe,
			&fs.PathError{Op: "mkdir", Path: at.Path, Err: syscall.ENOTDIR})
	}
	return err
}
