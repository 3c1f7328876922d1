package sink

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// draws is how many names are tried: one in four thousand million is taken, unless somebody is at it.
const draws = 8

// Unknown is the size of a file that only its content will tell.
const Unknown = -1

// Create makes the temporary file, size bytes long and with room for them set aside where the file
// system can; or an empty one if the size is Unknown, which Sized must tell before Publish. It has the
// permissions of the file it is to replace, or those of a new one; owner, access lists and other
// attributes are those of a new one. On an error nothing is left.
func (t Target) Create(size int64) (*Temp, error) {
	if size < Unknown {
		return nil, step("create", t.path, syscall.EINVAL)
	}
	replaced, err := t.present()
	if err != nil {
		return nil, err
	}
	perm := fs.FileMode(0o666)
	if replaced != nil {
		perm = replaced.Mode().Perm() // from the start: what is private is never readable for a moment
	}
	f, err := t.open(perm)
	if err != nil {
		return nil, err
	}
	return t.prepare(&Temp{target: t, file: f, size: size}, replaced)
}

// prepare gives a new file its mark, permissions and size. On an error nothing is left.
func (t Target) prepare(temp *Temp, replaced fs.FileInfo) (*Temp, error) {
	f, size := temp.file, temp.size
	var err error
	if temp.info, err = sysStat(f); err != nil {
		// Without its identity Discard would leave it, and nobody can have replaced it yet.
		sysClose(f)
		sysRemove(f.Name())
		return nil, err
	}
	hold(f)
	mark(f)
	if replaced != nil && temp.info.Mode().Perm() != replaced.Mode().Perm() { // the umask took some
		err = sysChmod(f, replaced.Mode().Perm())
	}
	if err == nil && size > 0 {
		err = preallocate(f, size)
	}
	if err != nil {
		temp.Discard()
		return nil, err
	}
	return temp, nil
}

// open draws names until one is free, and shorter ones once the file system finds them too long.
func (t Target) open(perm fs.FileMode) (f *os.File, err error) {
	limit := maxName
	for range draws {
		f, err = sysOpen(t.temporaryName(limit), perm)
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
