package sink

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/osfile"
)

// ErrReplaced means that the name of the temporary file no longer refers to the file that was
// created: another process removed the file, or put another one in its place.
var ErrReplaced = errors.New("the temporary file was removed or replaced by another process")

// unsized is the size of a Temp before Sized.
const unsized = -1

// Temp is the temporary file of one download. It ends in one of two ways, after which the file is
// closed: Publish gives it the destination's name, Discard removes it. A Publish that fails
// discards it. A Temp from CreateAt or Adopt has a third way, Keep, and a Publish that fails leaves
// the choice between Keep and Discard.
//
// One goroutine owns a Temp. Other goroutines may use only the *os.File, and only until the end.
type Temp struct {
	target Target
	file   *os.File
	size   int64
	info   fs.FileInfo // identity: device and inode, or what the system has instead
	perm   fs.FileMode // of the published file if it replaces none
	keep   bool        // a Publish that fails does not discard
	second second

	reading   bool // Seal has opened the file for reading only
	sealed    bool // nobody has it open for writing
	ended     bool
	published bool
}

// File returns the open file. After Seal it is open for reading only.
func (t *Temp) File() *os.File { return t.file }

// Sized sets the size, in bytes, that a file from CreateUnsized must have when it is published.
func (t *Temp) Sized(size int64) { t.size = size }

// Perm returns the permissions of the published file if it replaces none: those of a new file, or of
// these the ones of WithMode. A file that is kept has less.
func (t *Temp) Perm() fs.FileMode { return t.perm }

// Name returns the temporary file's path. After Publish there is no file at that path.
func (t *Temp) Name() string { return t.file.Name() }

// Sync commits content and size to stable storage, including what other processes wrote through
// descriptors that they were passed: those share the open file description of this one, where
// Linux keeps an error of write-back until the next fsync. Linux reports the error once, so after
// an error from Sync the only good end is Discard (https://wiki.postgresql.org/wiki/Fsync_Errors).
// An error that matches ErrCannotSync says nothing about the bytes.
func (t *Temp) Sync() error { return explain(t.target.sys.Fsync(t.file)) }

// Datasync is like Sync, but need not commit times and other metadata. Where the file system cannot
// sync, its error is osfile.Cannot.
func (t *Temp) Datasync() error { return t.target.sys.Datasync(t.file) }

// SetModTime sets the file's modification time. Whatever is written to the file later changes it.
func (t *Temp) SetModTime(modified time.Time) error {
	return t.target.sys.Chtimes(t.file, modified)
}

// Publish gives the file its permissions and renames it to the destination, which is atomic. It
// returns an error if the file is no longer the one that was created, if it does not have the
// expected size, if it would have permissions that the file it replaces does not have, or not those of
// WithMode, and if the destination is no longer a regular file or absent. With NoClobber, it must be
// absent, which the rename itself decides. After an error the destination is unchanged, and the
// temporary file is removed unless it is from CreateAt or Adopt.
func (t *Temp) Publish() error {
	if t.ended {
		return osfile.Error("publish", t.Name(), fs.ErrClosed)
	}
	if err := t.publish(); err != nil {
		if !t.keep {
			t.Discard()
		}
		return err
	}
	t.ended, t.published = true, true
	return nil
}

func (t *Temp) publish() error {
	t.second.close()
	if err := t.Seal(nil); err != nil {
		return err
	}
	sys := t.target.sys
	info, err := sys.Stat(t.file)
	if err != nil {
		return err
	}
	if info.Size() != t.size {
		err := fmt.Errorf("the file has %d bytes, want %d", info.Size(), t.size)
		return osfile.Error("publish", t.Name(), err)
	}
	if !t.ours() {
		return osfile.Error("publish", t.Name(), ErrReplaced)
	}
	replaced, err := t.target.Present()
	if err != nil {
		return err
	}
	perm := t.target.permOf(replaced, t.perm)
	if perm&osfile.OwnerAccess != osfile.OwnerAccess {
		osfile.Unmark(t.file) // the permissions may not allow it later
	}
	if err := t.target.setMode(t.file, info.Mode().Perm(), perm); err != nil {
		return err
	}
	if !t.reading {
		// Before the rename: network file systems report a failed write on close, and Windows does
		// not rename open files.
		if err := sys.Close(t.file); err != nil {
			return err
		}
	}
	err = t.rename()
	if err == nil {
		t.unmark()
	}
	if t.reading {
		t.file.Close() // nothing was written through it
	}
	if err != nil && t.keep {
		t.reclaim()
	}
	return err
}

// unmark removes the mark after the rename: of two steps that a kill may come between, the rename is
// first, because a temporary file without the mark is never removed, whereas the mark of a name that
// the file does not have any more means nothing.
func (t *Temp) unmark() {
	if t.reading {
		osfile.Unmark(t.file)
		return
	}
	if !osfile.KeepsMarks {
		return
	}
	f, err := osfile.Open(t.target.path, 0, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && os.SameFile(info, t.info) {
		osfile.Unmark(f)
	}
}

func (t *Temp) rename() error {
	if !t.target.fresh {
		return t.target.sys.Rename(t.Name(), t.target.path)
	}
	err := t.target.sys.RenameNew(t.Name(), t.target.path)
	if errors.Is(err, fs.ErrExist) {
		return &os.LinkError{Op: "rename", Old: t.Name(), New: t.target.path, Err: failure.ErrExists}
	}
	return err
}

// reclaim opens the file again after a rename that failed, and takes back the permissions with which a
// later download would not trust it. Where that fails, a later download begins afresh.
func (t *Temp) reclaim() {
	f, err := t.target.sys.Reopen(t.Name())
	if err != nil {
		return
	}
	info, err := f.Stat()
	if err != nil || !os.SameFile(info, t.info) {
		f.Close()
		return
	}
	t.file, t.reading, t.sealed = f, false, false
	osfile.Lock(f)
	have := info.Mode().Perm()
	t.target.setMode(f, have, (have|osfile.OwnerAccess)&^osfile.OthersWrite)
}

// Published reports whether Publish has succeeded.
func (t *Temp) Published() bool { return t.published }

// SyncDir commits the new directory entry to stable storage, after Publish. Without it the previous
// entry may come back after a power failure. It does nothing where a directory cannot be synced.
func (t *Temp) SyncDir() error {
	if !t.published {
		return osfile.Error("syncdir", t.target.path, errors.New("not published"))
	}
	return t.target.sys.SyncDir(t.target.dir())
}

// Keep closes the file and leaves it under its name for a later Adopt.
func (t *Temp) Keep() {
	if !t.ended {
		t.ended = true
		t.second.close()
		osfile.Mark(t.file)        // a failed Publish may have removed the mark
		t.target.sys.Close(t.file) // and may have closed the file, which does no harm
	}
}

// Discard closes and removes the file. It does nothing after Publish, Keep or Discard. It does not
// remove another file that has taken the name.
func (t *Temp) Discard() {
	if t.ended {
		return
	}
	t.ended = true
	t.second.close()
	// Compare first: while the file is open, no other file can get its inode.
	ours := t.ours()
	// A failed Publish may have closed the file already. Windows does not remove open files.
	t.target.sys.Close(t.file)
	if ours {
		t.target.sys.Remove(t.Name())
	}
}

// ours reports whether the name still refers to the file that was created.
func (t *Temp) ours() bool {
	info, err := os.Lstat(t.Name())
	return err == nil && os.SameFile(info, t.info)
}
