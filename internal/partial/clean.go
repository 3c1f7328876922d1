package partial

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/journal"
	"github.com/s3processpool/processpool/internal/lock"
	"github.com/s3processpool/processpool/internal/sink"
)

// temporary is what the names of sink.Target.Create look like.
var temporary = regexp.MustCompile(`^.+\.[0-9a-f]{8}$`)

// Clean removes from dir the leftovers of downloads that were last written to before the given time, if
// they are surely this library's and nobody has them. It returns what it removed.
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
		case hidden && strings.HasSuffix(e.Name(), sink.JournalSuffix):
			c.pair(path)
		case hidden && strings.HasSuffix(e.Name(), sink.PartialSuffix), temporary.MatchString(e.Name()):
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

// pair removes a journal and its partial file, under the journal's lock: no download can take them
// meanwhile.
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
		return // not ours, or not for sure
	}
	file := strings.TrimSuffix(name, sink.JournalSuffix) + sink.PartialSuffix
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

// single removes a file that bears the mark of one that was not finished. A partial file whose journal is
// there is pair's.
func (c *cleaner) single(name string) {
	if _, err := os.Lstat(strings.TrimSuffix(name, sink.PartialSuffix) + sink.JournalSuffix); err == nil && strings.HasSuffix(name, sink.PartialSuffix) {
		return
	}
	if !c.old(name) {
		return
	}
	f, err := os.Open(name)
	if err != nil {
		return // of somebody else's, as it seems
	}
	defer f.Close()
	opened, err := f.Stat()
	if err != nil || !opened.Mode().IsRegular() || !sink.Marked(f) {
		return
	}
	if free, err := lock.Try(f); err != nil || !free {
		return
	}
	if info, err := os.Lstat(name); err != nil || !os.SameFile(info, opened) {
		return
	}
	c.remove(name)
}

// old tells whether nobody has written to the file for so long.
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
