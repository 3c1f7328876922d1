package partial

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/journal"
	"github.com/s3processpool/processpool/internal/osfile"
	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// left creates a file of the given age, or for "download NAME" the files that a failed download of
// NAME leaves.
func left(t *testing.T, dir, name string, age time.Duration) {
	t.Helper()
	path := filepath.Join(dir, name)
	if base, ok := strings.CutPrefix(name, "download "); ok {
		target, err := sink.Resolve(nil, filepath.Join(dir, base))
		if err != nil {
			t.Fatal(err)
		}
		f, err := Open(t.Context(), Options{Target: target, Header: journal.Header{ETag: `"e"`, Size: size, Algorithm: checksum.CRC32},
			Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		f.Add(record(1), false)
		f.End(errCut)
		for _, name := range []string{PartialName(target.Path()), JournalName(target.Path())} {
			touch(t, name, age)
		}
		return
	}
	if err := os.WriteFile(path, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	touch(t, path, age)
}

func touch(t *testing.T, path string, age time.Duration) {
	t.Helper()
	then := time.Now().Add(-age)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

// temporaryOf creates the temporary file of a download without Resume.
func temporaryOf(t *testing.T, dir, base string) *sink.Temp {
	t.Helper()
	target, err := sink.Resolve(nil, filepath.Join(dir, base))
	if err != nil {
		t.Fatal(err)
	}
	temp, err := target.Create(size)
	if err != nil {
		t.Fatal(err)
	}
	return temp
}

func TestClean(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	const day = 24 * time.Hour
	left(t, dir, "download old", 2*day)
	left(t, dir, "download new", time.Hour)
	left(t, dir, "download fileless", 2*day)
	left(t, dir, "download half", 2*day)
	left(t, dir, "download "+strings.Repeat("long", 60), 2*day)
	if err := os.Remove(filepath.Join(dir, ".fileless.part")); err != nil {
		t.Fatal(err)
	}
	touch(t, filepath.Join(dir, ".half.part"), time.Hour) // written to since
	for _, theirs := range []string{"theirs.deadbeef", ".theirs.part", ".notes.part.journal", ".notes.part", "old", "old.part", "a.part.journal"} {
		left(t, dir, theirs, 2*day)
	}
	if err := os.Mkdir(filepath.Join(dir, ".dir.part.journal"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("old", filepath.Join(dir, "link.deadbeef")); err != nil {
		t.Fatal(err)
	}
	live := temporaryOf(t, dir, "live")
	touch(t, live.Name(), 2*day)
	dead := temporaryOf(t, dir, "dead")
	dead.File().Close()
	touch(t, dead.Name(), 2*day)
	fresh := temporaryOf(t, dir, "fresh")
	fresh.File().Close()
	marked, err := os.Open(dead.Name())
	if err != nil {
		t.Fatal(err)
	}
	marks := osfile.Marked(marked)
	marked.Close()
	busy := open(t, dir)
	for _, name := range []string{".file.part", ".file.part.journal"} {
		touch(t, filepath.Join(dir, name), 2*day)
	}

	long, _ := sink.Resolve(nil, filepath.Join(dir, strings.Repeat("long", 60)))
	want := []string{".old.part", ".old.part.journal", ".fileless.part.journal",
		filepath.Base(PartialName(long.Path())), filepath.Base(JournalName(long.Path()))}
	if marks {
		want = append(want, filepath.Base(dead.Name()))
	}
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found, err := Clean(dir, time.Now().Add(-day), true)
	if err != nil {
		t.Error(err)
	}
	if after, err := os.ReadDir(dir); err != nil || len(after) != len(before) {
		t.Errorf("got %d files after a dry run, %v, want %d", len(after), err, len(before))
	}
	removed, err := Clean(dir, time.Now().Add(-day), false)
	if err != nil {
		t.Error(err)
	}
	if !slices.Equal(found, removed) {
		t.Errorf("a dry run found %q, want %q", found, removed)
	}
	for i := range removed {
		removed[i] = filepath.Base(removed[i])
	}
	slices.Sort(want)
	slices.Sort(removed)
	if !slices.Equal(removed, want) {
		t.Errorf("removed %q, want %q", removed, want)
	}
	var remain []string
	for _, e := range before {
		if !slices.Contains(want, e.Name()) {
			remain = append(remain, e.Name())
		}
	}
	leak.Files(t, dir, remain...)
	busy.End(failure.ErrObjectChanged)
	live.Discard()
}

// Sweep removes files of a given time only, and with Empty also those that a killed process had no
// time to mark.
func TestSweep(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	left(t, dir, "download early", 3*time.Hour)
	left(t, dir, "download then", time.Hour)
	temp := temporaryOf(t, dir, "temp")
	marks := !osfile.Unmarked(temp.File())
	temp.File().Close()
	touch(t, temp.Name(), time.Hour)
	left(t, dir, "full.deadbeef", time.Hour)
	for _, name := range []string{"empty.deadbeef", "empty", ".new.part", ".new.part.journal", ".alone.part.journal"} {
		left(t, dir, name, time.Hour)
		if err := os.Truncate(filepath.Join(dir, name), 0); err != nil {
			t.Fatal(err)
		}
		touch(t, filepath.Join(dir, name), time.Hour)
	}
	if !marks {
		t.Skip("the file system keeps no marks")
	}
	marked, err := os.OpenFile(filepath.Join(dir, ".alone.part.journal"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	osfile.Mark(marked)
	marked.Close()
	which := Which{After: time.Now().Add(-2 * time.Hour), Before: time.Now(), Temporary: true}
	sweep := func(want ...string) {
		t.Helper()
		removed, err := Sweep(dir, which)
		for i := range removed {
			removed[i] = filepath.Base(removed[i])
		}
		slices.Sort(want)
		if err != nil || !slices.Equal(removed, want) {
			t.Errorf("%+v: got %q, %v, want %q", which, removed, err, want)
		}
	}
	sweep(filepath.Base(temp.Name()))
	which.Empty = true
	sweep("empty.deadbeef")
	which.Temporary = false
	sweep(".alone.part.journal", ".new.part", ".new.part.journal", ".then.part", ".then.part.journal")
	leak.Files(t, dir, ".early.part", ".early.part.journal", "empty", "full.deadbeef")
}

// Clean leaves published files, whatever their names.
func TestCleanLeavesDownloads(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	for _, base := range []string{"build.deadbeef", ".x.part"} {
		temp := temporaryOf(t, dir, base)
		if err := temp.Publish(); err != nil {
			t.Fatal(err)
		}
		touch(t, filepath.Join(dir, base), time.Hour)
	}
	if removed, err := Clean(dir, time.Now(), false); len(removed) > 0 || err != nil {
		t.Errorf("removed %q, %v, want nothing", removed, err)
	}
}

func TestCleanErrors(t *testing.T) {
	leak.Check(t)
	if _, err := Clean(filepath.Join(t.TempDir(), "none"), time.Now(), false); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}
