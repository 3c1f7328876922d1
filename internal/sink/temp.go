package sink

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrReplaced means that the name of the temporary file is no longer that of the file that was made:
// somebody removed it, or put another in its place.
var ErrReplaced = errors.New("the temporary file was removed or replaced by somebody else")

// Temp is the temporary file of one download, from Target.Create. It ends in one of two ways, after
// which the file is closed: Publish gives it the destination's name, Discard removes it. A Publish
// that fails discards.
//
// One goroutine owns it. Only the *os.File may be used from others, and not beyond the end.
type Temp struct {
	target Target
	file   *os.File
	size   int64
	info   fs.FileInfo // identity: device and inode, or what the system has instead

	partial   bool // of Target.CreatePartial or OpenPartial: a Publish that fails leaves it open
	ended     bool
	published bool
}

// File is the open file. Other descriptors of it, in other processes, stay good after the end.
func (t *Temp) File() *os.File { return t.file }

// Sized tells the size of a file that was made without.
func (t *Temp) Sized(size int64) { t.size = size }

// Name is the temporary file's path; after Publish nothing is there.
func (t *Temp) Name() string { return t.file.Name() }

// Sync brings bytes and size to stable storage, also what other processes wrote through descriptors
// they were passed: those share this one's open file description, where Linux keeps a failed
// write-back for fsync to report. It reports one once, so after an error the only good end is Discard
// (https://wiki.postgresql.org/wiki/Fsync_Errors).
func (t *Temp) Sync() error { return sysFsync(t.file) }

// Publish puts the file in the destination's place, in one step for everybody who looks. It refuses
// when it is no longer the file that was made, or not of the size it was made with, and when the
// destination has become something else than a regular file. After an error the temporary file is gone
// and the destination as it was.
func (t *Temp) Publish() error {
	if t.ended {
		return step("publish", t.Name(), fs.ErrClosed)
	}
	if err := t.publish(); err != nil {
		if !t.partial {
			t.Discard()
		}
		return err
	}
	t.ended, t.published = true, true
	return nil
}

func (t *Temp) publish() error {
	info, err := sysStat(t.file)
	if err != nil {
		return err
	}
	if info.Size() != t.size {
		return step("publish", t.Name(), fmt.Errorf("the file has %d bytes, not the %d it was made with", info.Size(), t.size))
	}
	if !t.ours() {
		return step("publish", t.Name(), ErrReplaced)
	}
	if _, err := t.target.present(); err != nil {
		return err
	}
	unmark(t.file)
	// Before the rename: network file systems report a failed write here, and Windows renames no open file.
	if err := sysClose(t.file); err != nil {
		return err
	}
	return sysRename(t.Name(), t.target.path)
}

// SyncDir brings the new directory entry to stable storage, after Publish. Without it a power failure
// may bring back what was there before. Where a directory cannot be synced it does nothing.
func (t *Temp) SyncDir() error {
	if !t.published {
		return step("syncdir", t.target.path, errors.New("not published"))
	}
	return sysSyncDir(t.target.dir())
}

// Keep closes a partial file and leaves it for another time.
func (t *Temp) Keep() {
	if !t.ended {
		t.ended = true
		mark(t.file) // again, when it was Publish that failed
		sysClose(t.file)
	}
}

// Discard closes and removes the file. It may be called again, and does nothing after Publish. A file
// of the same name that is not ours is left alone.
func (t *Temp) Discard() {
	if t.ended {
		return
	}
	t.ended = true
	// While the file is open its inode cannot become another file's.
	ours := t.ours()
	sysClose(t.file) // again, when it was Publish that failed; Windows removes no open file
	if ours {
		sysRemove(t.Name())
	}
}

// ours reports whether the name still is that of our file.
func (t *Temp) ours() bool {
	info, err := os.Lstat(t.Name())
	return err == nil && os.SameFile(info, t.info)
}

// Published tells whether the file has the destination's name.
func (t *Temp) Published() bool { return t.published }
