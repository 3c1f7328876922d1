package partial

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/journal"
	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/test/leak"
)

var errCut = errors.New("the network is gone")

const size = 1000

// open opens the partial file of dir/file.
func open(t *testing.T, dir string, optFns ...func(*Options)) *File {
	t.Helper()
	target, err := sink.Resolve(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Target: target,
		Header: journal.Header{Bucket: "b", Key: "k", ETag: `"e"`, Size: size, Algorithm: checksum.CRC32C},
		Failed: func(err error) { t.Errorf("Failed: got %v, want no call", err) },
		Log:    func(_ slog.Level, text string, args ...any) { t.Log(append([]any{text}, args...)...) },
	}
	for _, fn := range optFns {
		fn(&o)
	}
	f, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func record(n int64) journal.Record {
	return journal.Record{Offset: 10 * n, Length: 10, Sum: uint64(n)}
}

func wantRecords(t *testing.T, f *File, want ...journal.Record) {
	t.Helper()
	if !slices.Equal(f.Records, want) {
		t.Errorf("records: got %v, want %v", f.Records, want)
	}
}

func TestFile(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	f := open(t, dir)
	wantRecords(t, f)
	f.Add(record(1), true)
	f.Add(record(2), false)
	f.End(errCut)
	leak.Files(t, dir, ".file.part", ".file.part.journal")

	f = open(t, dir, func(o *Options) { o.Header.Algorithm = checksum.CRC32 })
	wantRecords(t, f, record(1), record(2))
	if f.Algorithm != checksum.CRC32C {
		t.Errorf("algorithm: got %s, want that of the journal", f.Algorithm)
	}
	f.Add(record(3), false)
	f.End(failure.ErrCanceled)

	f = open(t, dir)
	wantRecords(t, f, record(1), record(2), record(3))
	if err := errors.Join(f.Quiesce(), f.Temp.Publish()); err != nil {
		t.Fatal(err)
	}
	f.End(nil)
	leak.Files(t, dir, "file")
}

func TestFileIsNotKept(t *testing.T) {
	for _, outcome := range []error{failure.ErrChecksumMismatch, fmt.Errorf("x: %w", failure.ErrObjectChanged)} {
		leak.Check(t)
		dir := t.TempDir()
		f := open(t, dir)
		f.Add(record(1), true)
		f.End(outcome)
		leak.Files(t, dir)
	}
	dir := t.TempDir()
	open(t, dir).End(errCut) // nothing arrived
	leak.Files(t, dir)
}

// The new file is another inode: who still writes to the old one does no harm.
func TestFileAfreshIsAnother(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	f := open(t, dir)
	f.Add(record(1), true)
	f.End(errCut)
	worker, err := os.OpenFile(filepath.Join(dir, ".file.part"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer worker.Close()
	f = open(t, dir, func(o *Options) { o.Header.ETag = `"another"` })
	wantRecords(t, f)
	if _, err := worker.WriteAt([]byte("old"), 5); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 8)
	if _, err := f.Temp.File().ReadAt(got, 0); err != nil || string(got) != string(make([]byte, 8)) {
		t.Errorf("got %q, %v, want zeros", got, err)
	}
	f.End(errCut)
}

// A record is in the journal only when an fdatasync that began after it was added
// has returned; what is added meanwhile is written down together.
func TestRecordsFollowFdatasync(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	entered, leave := make(chan struct{}), make(chan struct{})
	defer sink.SetFault(func(op, _ string) error {
		if op == "fdatasync" {
			entered <- struct{}{}
			<-leave
		}
		return nil
	})()
	f := open(t, dir)
	length := func() int64 {
		info, err := os.Stat(filepath.Join(dir, ".file.part.journal"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	start := length()
	f.Add(record(1), true)
	<-entered
	f.Add(record(2), true)
	f.Add(record(3), true)
	if got := length(); got != start {
		t.Errorf("the journal has grown by %d bytes before the first fdatasync returned", got-start)
	}
	leave <- struct{}{}
	<-entered // the second round
	if got := length(); got != start+32 {
		t.Errorf("the journal has grown by %d bytes, want one record's", got-start)
	}
	leave <- struct{}{}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.End(errCut)
	}()
	<-ended
	if got := length(); got != start+96 {
		t.Errorf("the journal has grown by %d bytes, want three records'", got-start)
	}
}

// An fdatasync that fails is the download's failure: what it was to bring to the disk
// may be lost, and the system will not say so again.
func TestFdatasyncFails(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	f := open(t, dir)
	f.Add(record(1), false)
	f.End(errCut)

	told := make(chan error, 1)
	f = open(t, dir, func(o *Options) { o.Failed = func(err error) { told <- err } })
	restore := sink.SetFault(func(op, _ string) error {
		if op == "fdatasync" {
			return syscall.EIO
		}
		return nil
	})
	f.Add(record(2), true)
	if err := <-told; !errors.Is(err, syscall.EIO) {
		t.Errorf("Failed: got %v, want EIO", err)
	}
	restore()
	f.Add(record(3), true)
	if err := f.Quiesce(); !errors.Is(err, syscall.EIO) {
		t.Errorf("Quiesce: got %v, want EIO", err)
	}
	f.End(errCut)
	f = open(t, dir)
	wantRecords(t, f, record(1))
	f.End(failure.ErrChecksumMismatch)
}

func TestOpenTwice(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	f := open(t, dir)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := Open(t.Context(), f.options); !errors.Is(err, failure.ErrBusy) {
				t.Errorf("got %v, want ErrBusy", err)
			}
		})
	}
	wg.Wait()
	f.Add(record(1), true)
	f.End(errCut)
	f = open(t, dir)
	wantRecords(t, f, record(1))
	f.End(failure.ErrObjectChanged)
}

// left makes a file, or what a download of that name leaves.
func left(t *testing.T, dir, name string, age time.Duration) {
	t.Helper()
	path := filepath.Join(dir, name)
	if base, ok := strings.CutPrefix(name, "download "); ok {
		target, err := sink.Resolve(filepath.Join(dir, base))
		if err != nil {
			t.Fatal(err)
		}
		f, err := Open(t.Context(), Options{Target: target, Header: journal.Header{ETag: `"e"`, Size: size, Algorithm: checksum.CRC32},
			Log: func(slog.Level, string, ...any) {}})
		if err != nil {
			t.Fatal(err)
		}
		f.Add(record(1), false)
		f.End(errCut)
		for _, name := range []string{target.PartialName(), target.JournalName()} {
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

// temporary makes what a killed process leaves of a download without Resume.
func temporaryOf(t *testing.T, dir, base string) *sink.Temp {
	t.Helper()
	target, err := sink.Resolve(filepath.Join(dir, base))
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
	marks := sink.Marked(marked)
	marked.Close()
	busy := open(t, dir)
	for _, name := range []string{".file.part", ".file.part.journal"} {
		touch(t, filepath.Join(dir, name), 2*day)
	}

	long, _ := sink.Resolve(filepath.Join(dir, strings.Repeat("long", 60)))
	want := []string{".old.part", ".old.part.journal", ".fileless.part.journal",
		filepath.Base(long.PartialName()), filepath.Base(long.JournalName())}
	if marks {
		want = append(want, filepath.Base(dead.Name()))
	}
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	removed, err := Clean(dir, time.Now().Add(-day))
	if err != nil {
		t.Error(err)
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

// A file that was published is a file like any other, whatever its name.
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
	if removed, err := Clean(dir, time.Now()); len(removed) > 0 || err != nil {
		t.Errorf("removed %q, %v, want nothing", removed, err)
	}
}

func TestCleanErrors(t *testing.T) {
	leak.Check(t)
	if _, err := Clean(filepath.Join(t.TempDir(), "none"), time.Now()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}
