package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/osfile"
)

// Open opens a journal and locks it. It creates an empty one if there is none, and in the place of a
// journal that another user could have written (osfile.Foreign). If another open file has the lock,
// Open returns failure.ErrBusy immediately. A file that is not regular is an error, and so is one
// that should be replaced and cannot be. One that its owner may not read or write, because of a
// umask or a copy, gets the permissions.
func Open(name string) (*Journal, error) {
	var replaced error
	j, err := repeat(name, func(name string) (*Journal, error) { return openOrCreate(name, &replaced) })
	if err == nil {
		j.replaced = replaced
	}
	return j, err
}

// OpenExisting is like Open, but returns fs.ErrNotExist if there is no journal, and does not change
// or replace the file, which may not be a journal. One of another user's is ErrForeign.
func OpenExisting(name string) (*Journal, error) { return repeat(name, openExisting) }

// attempts is how often Open opens the file if others remove it between open and lock.
const attempts = 100

// repeat calls open until it does not return errAgain.
func repeat(name string, open func(name string) (*Journal, error)) (*Journal, error) {
	for range attempts {
		if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
			return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
		}
		if j, err := open(name); err != errAgain {
			return j, err
		}
	}
	return nil, failure.ErrBusy
}

// errAgain means that the name refers to another file now, or to none.
var errAgain = errors.New("the journal was replaced")

func openExisting(name string) (*Journal, error) {
	f, err := osfile.Open(name, 0, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !osfile.Owned(info) {
		f.Close()
		return nil, errors.Join(ErrForeign, err)
	}
	return locked(f)
}

// openOrCreate sets replaced if it removes a journal.
func openOrCreate(name string, replaced *error) (*Journal, error) {
	f, err := osfile.OpenOwn(name, 0, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return create(name)
	}
	if err != nil {
		return nil, refused(name, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	distrust := osfile.Foreign(info)
	j, err := locked(f)
	if err == nil && distrust == nil {
		return j, nil
	}
	// The lock keeps two downloads from removing each other's new journal.
	if err == nil {
		err = j.Remove()
	}
	switch {
	case distrust == nil || err == errAgain:
		return nil, err
	case err == nil:
		*replaced = distrust
		return nil, errAgain
	case errors.Is(err, failure.ErrBusy): // nobody else downloads with a journal that he cannot trust
		err = errors.New("it is locked")
	}
	return nil, &fs.PathError{Op: "open", Path: name,
		Err: fmt.Errorf("the journal cannot be trusted: %w; and it cannot be replaced: %w", distrust, osfile.Cause(err))}
}

// create creates a journal. What this process creates is its own, whatever owner the file system
// shows.
func create(name string) (*Journal, error) {
	f, err := osfile.Open(name, os.O_CREATE, osfile.OwnerAccess)
	if errors.Is(err, fs.ErrExist) {
		return nil, errAgain
	}
	if err != nil {
		return nil, err
	}
	return locked(f)
}

// refused explains why a journal cannot be opened.
func refused(name string, err error) error {
	info, statErr := os.Lstat(name)
	if statErr != nil || !errors.Is(err, fs.ErrPermission) || osfile.Owned(info) {
		return err
	}
	return &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("it belongs to another user: %w", osfile.Cause(err))}
}

// locked locks an open file and makes it a Journal. In case of an error it closes the file.
func locked(f *os.File) (*Journal, error) {
	free, err := osfile.Lock(f)
	switch {
	case err != nil:
	case !free:
		err = failure.ErrBusy
	case !named(f, f.Name()):
		// The previous owner of the lock may have removed the file. Others would not find this one.
		err = errAgain
	default:
		return &Journal{file: f}, nil
	}
	f.Close()
	return nil, err
}
