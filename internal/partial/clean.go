package partial

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/journal"
	"github.com/s3processpool/processpool/internal/osfile"
	"github.com/s3processpool/processpool/internal/sink"
)

// Which says what Sweep removes.
type Which struct {
	After, Before time.Time // when a file was last written to; After may be zero
	Temporary     bool      // temporary files only
	Empty         bool      // also empty files without attributes that have the name of one of the library's
	Dry           bool      // leave the files where they are
}

// Clean removes partial files, journals and temporary files from dir that were last written to
// before the given time, if they are certain to be this user's and this library's and no process
// uses them. It returns the paths of the removed files. The error joins those of all files. A dry
// run does the same, but leaves the files where they are.
//
// It removes by an open directory, and what it has just looked at. Who may write to the directory
// could put another of its files in the place of one, and could as well remove that file himself.
func Clean(dir string, before time.Time, dry bool) (removed []string, err error) {
	return Sweep(dir, Which{Before: before, Dry: dry})
}

// CleanOf removes the partial file and the journal of downloads to path, on the same terms, also if they
// are empty and have no attributes.
func CleanOf(path string) error {
	dir := filepath.Dir(path)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	c := cleaner{dir: dir, root: root, Which: Which{Before: time.Now(), Empty: true}}
	c.pair(filepath.Base(JournalName(path)))
	return errors.Join(c.faults...)
}

// Sweep is as Clean, with more to choose.
func Sweep(dir string, which Which) (removed []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	c := cleaner{dir: dir, root: root, Which: which}
	for _, e := range entries {
		switch hidden := strings.HasPrefix(e.Name(), ".") && !which.Temporary; {
		case !e.Type().IsRegular(), !c.candidate(e.Name()):
		case hidden && strings.HasSuffix(e.Name(), JournalSuffix):
			c.pair(e.Name())
		case hidden && strings.HasSuffix(e.Name(), PartialSuffix), sink.IsTemporary(e.Name()):
			c.single(e.Name())
		}
	}
	slices.Sort(c.removed)
	return c.removed, errors.Join(c.faults...)
}

type cleaner struct {
	dir  string
	root *os.Root // the same
	Which
	removed []string
	faults  []error
}

// pair removes a journal and its partial file. It has the journal's lock, so that no download can
// open them meanwhile. A header proves that a journal is one, but not that it belongs to the file
// beside it, and not that this library wrote it here: it may be an object's content. So both files
// must have the mark, where the file system keeps marks.
func (c *cleaner) pair(base string) {
	j, err := journal.OpenExisting(c.path(base))
	switch {
	case err == nil:
	case notOurs(err):
		return
	default:
		c.fault(err)
		return
	}
	defer j.Close()
	if _, _, err := j.Read(); (err != nil || osfile.Unmarked(j.File())) && !c.blank(j.File()) || !c.old(j.File(), base) {
		return // not certain to be ours, or too new
	}
	part := strings.TrimSuffix(base, JournalSuffix) + PartialSuffix
	if _, err := c.root.Lstat(part); !errors.Is(err, fs.ErrNotExist) {
		f, err := osfile.Open(c.path(part), 0, 0)
		if err != nil {
			return
		}
		defer f.Close()
		if osfile.Unmarked(f) && !c.blank(f) || !c.old(f, part) || !c.remove(part) {
			return
		}
	}
	c.remove(base)
}

// notOurs reports whether an error of opening a journal says that it is no business of Clean: in
// use, gone, or of somebody else.
func notOurs(err error) bool {
	return errors.Is(err, failure.ErrBusy) || errors.Is(err, journal.ErrForeign) ||
		errors.Is(err, fs.ErrNotExist)
}

// single removes a file that has the mark of an unfinished one. It leaves a partial file that has a
// journal to pair.
func (c *cleaner) single(base string) {
	if stem, ok := strings.CutSuffix(base, PartialSuffix); ok {
		if _, err := c.root.Lstat(stem + JournalSuffix); err == nil {
			return
		}
	}
	f, err := osfile.Open(c.path(base), 0, 0) // for writing too: NFS locks no other files
	if err != nil {
		return // probably another user's
	}
	defer f.Close()
	if !osfile.Marked(f) && !c.blank(f) {
		return
	}
	if free, err := osfile.Lock(f); err != nil || !free {
		return
	}
	if c.old(f, base) {
		c.remove(base)
	}
}

// blank reports whether a file may be one that a process which was killed has just created: it is
// empty, and has the mark or no attribute yet. Only Empty asks for those.
func (c *cleaner) blank(f *os.File) bool {
	if !c.Empty {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Size() == 0 && (osfile.Marked(f) || osfile.Unmarked(f) && osfile.Bare(f))
}

// candidate reports whether a file is worth a closer look: files of others, and those that a
// download may be writing to, are not opened.
func (c *cleaner) candidate(base string) bool {
	info, err := c.root.Lstat(base)
	return err == nil && c.abandoned(info)
}

// old reports whether an open file is this user's, was last written to in the given time, and has its
// name still.
func (c *cleaner) old(f *os.File, base string) bool {
	opened, err := f.Stat()
	if err != nil || !c.abandoned(opened) {
		return false
	}
	there, err := c.root.Lstat(base)
	return err == nil && os.SameFile(there, opened)
}

func (c *cleaner) abandoned(info fs.FileInfo) bool {
	return info.Mode().IsRegular() && osfile.Owned(info) && info.ModTime().Before(c.Before) && !info.ModTime().Before(c.After)
}

func (c *cleaner) path(base string) string { return filepath.Join(c.dir, base) }

func (c *cleaner) remove(base string) bool {
	var err error
	if !c.Dry {
		err = c.root.Remove(base)
	}
	if err == nil {
		c.removed = append(c.removed, c.path(base))
	} else if !errors.Is(err, fs.ErrNotExist) {
		c.fault(osfile.Error("remove", c.path(base), err))
		return false
	}
	return true
}

func (c *cleaner) fault(err error) { c.faults = append(c.faults, err) }
