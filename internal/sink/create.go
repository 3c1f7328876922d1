package sink

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/s3processpool/processpool/internal/osfile"
)

// draws is how many random names Create tries. One name in 2^32 is in use, unless another program
// creates such names on purpose.
const draws = 8

// Create creates a temporary file of size bytes beside the destination and, where the file system
// can, allocates its blocks. When it is published it has the permissions of WithMode, or those of the
// file that it replaces, if that is the user's own, or those of a new file; until then its owner can also read
// it and write to it. Owner, access control lists and other attributes are those of a new file.
// After an error no file is left.
func (t Target) Create(size int64) (*Temp, error) {
	if size < 0 {
		return nil, osfile.Error("create", t.path, syscall.EINVAL)
	}
	return t.create(size, t.draw, false)
}

// CreateUnsized is like Create for a file whose size is not known yet. The file is empty. The
// caller must call Temp.Sized before Temp.Publish.
func (t Target) CreateUnsized() (*Temp, error) { return t.create(unsized, t.draw, false) }

// CreateAt is like Create, but creates the file at the given name, which must be free and on the
// destination's file system. Nobody but the owner can write to it until it is published, where the
// file system has such permissions. If Publish fails, the file stays, and stays open: the caller must
// call Keep or Discard.
func (t Target) CreateAt(name string, size int64) (*Temp, error) {
	if size < 0 {
		return nil, osfile.Error("create", name, syscall.EINVAL)
	}
	open := func(perm fs.FileMode) (*os.File, error) { return t.sys.Create(name, perm) }
	return t.create(size, open, true)
}

// Adopt returns a Temp for an open file that was created with CreateAt earlier, perhaps by another
// process. info is from Stat of f, perm is what Temp.Perm returned then, or 0 if that is not known. The
// caller must have locked the file and called Prepare. As with CreateAt, the file stays if Publish
// fails.
func (t Target) Adopt(f *os.File, info fs.FileInfo, perm fs.FileMode, size int64) *Temp {
	if perm == 0 {
		perm = info.Mode().Perm()
	}
	temp := &Temp{target: t, file: f, info: info, perm: perm, size: size, keep: true}
	if t.direct {
		temp.second.open(t.sys, f)
	}
	return temp
}

// opener creates and opens a file with the given permissions.
type opener func(perm fs.FileMode) (*os.File, error)

func (t Target) create(size int64, open opener, keep bool) (*Temp, error) {
	replaced, err := t.Present()
	if err != nil {
		return nil, err
	}
	// From the start, so that private content is never readable.
	f, err := open(t.permOf(replaced, newFile))
	if err != nil {
		return nil, err
	}
	temp := &Temp{target: t, file: f, size: size, keep: keep}
	if temp.info, err = t.sys.Stat(f); err != nil {
		// Discard removes only a file whose identity it knows. Nobody can have replaced this one
		// yet.
		t.sys.Close(f)
		t.sys.Remove(f.Name())
		return nil, err
	}
	temp.perm = temp.info.Mode().Perm()
	if t.mode != 0 {
		temp.perm &= newFile
	}
	// The lock shows others that a process writes to the file. The workers that get its descriptor
	// have the lock too. Nobody else has the file yet, so Lock succeeds where there are locks.
	osfile.Lock(f)
	err = t.prepare(f, temp.info, replaced, size, keep)
	if err != nil {
		temp.Discard()
		return nil, err
	}
	if t.direct {
		temp.second.open(t.sys, f)
	}
	return temp, nil
}

// draw creates a file with a random name. It tries other names while they are in use, and shorter
// names if the file system does not accept long ones.
func (t Target) draw(perm fs.FileMode) (f *os.File, err error) {
	limit := MaxName
	for range draws {
		f, err = t.sys.Create(t.temporaryName(limit), perm)
		switch {
		case errors.Is(err, fs.ErrExist):
		case errors.Is(err, syscall.ENAMETOOLONG) && limit > maxShortName:
			limit = maxShortName
		default:
			return f, err
		}
	}
	return nil, err
}
