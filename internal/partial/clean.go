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

// Clean removes partial files, journals and temporary files from dir that were last written to
// before the given time, if they are certain to be this library's and no process uses them. It
// returns the paths of the removed files. The error joins those of all files.
func Clean(dir string, before time.Time) (removed []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	c := cleaner{before: before}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch hidden := strings.HasPrefix(e.Name(), "."); {
		case !e.Type().IsRegular():
		case hidden && strings.HasSuffix(e.Name(), JournalSuffix):
			c.pair(path)
		case hidden && strings.HasSuffix(e.Name(), PartialSuffix), sink.IsTemporary(e.Name()):
			c.single(path)
		}
	}
	slices.Sort(c.removed)
	return c.removed, errors.Join(c.faults...)
}

type cleaner struct {
	before  time.Time
	removed []string
	faults  []error
}

// pair removes a journal and its partial file. It has the journal's lock, so that no download can
// open them meanwhile.
func (c *cleaner) pair(name string) {
	j, err := journal.OpenExisting(name)
	if errors.Is(err, failure.ErrBusy) || errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		c.fault(err)
		return
	}
	defer j.Close()
	if _, _, err := j.Read(); err != nil || !c.old(name) {
		return // not certain to be ours, or too new
	}
	file := strings.TrimSuffix(name, JournalSuffix) + PartialSuffix
	info, err := os.Lstat(file)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return
	case err == nil && !c.old(file):
		return
	case err == nil && !c.remove(file):
		return
	}
	c.remove(name)
}

// single removes a file that has the mark of an unfinished one. It leaves a partial file that has a
// journal to pair.
func (c *cleaner) single(name string) {
	if base, ok := strings.CutSuffix(name, PartialSuffix); ok {
		if _, err := os.Lstat(base + JournalSuffix); err == nil {
			return
		}
	}
	if !c.old(name) {
		return
	}
	f, err := osfile.Open(name, 0, 0) // for writing too: NFS locks no other files
	if err != nil {
		return // probably another user's
	}
	defer f.Close()
	opened, err := f.Stat()
	if err != nil || !opened.Mode().IsRegular() || !osfile.Marked(f) {
		return
	}
	if free, err := osfile.Lock(f); err != nil || !free {
		return
	}
	if info, err := os.Lstat(name); err != nil || !os.SameFile(info, opened) {
		return
	}
	c.remove(name)
}

// old reports whether the file was last written to before the given time.
func (c *cleaner) old(name string) bool {
	info, err := os.Lstat(name)
	return err == nil && info.ModTime().Before(c.before)
}

func (c *cleaner) remove(name string) bool {
	err := os.Remove(name)
	if err == nil {
		c.removed = append(c.removed, name)
	} else if !errors.Is(err, fs.ErrNotExist) {
		c.fault(err)
		return false
	}
	return true
}

func (c *cleaner) fault(err error) { c.faults = append(c.faults, err) }
