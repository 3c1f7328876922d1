package partial

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/journal"
	"github.com/s3processpool/processpool/internal/test/leak"
)

var errCut = errors.New("the network is gone")

const size = 1000

// open opens the partial file of dir/file, with a System of its own.
func open(t *testing.T, dir string, optFns ...func(*Options)) *File {
	t.Helper()
	o := Options{
		Target: targetIn(t, dir),
		Header: journal.Header{Bucket: "b", Key: "k", ETag: `"e"`, Size: size, Algorithm: checksum.CRC32C},
		Failed: func(err error) { t.Errorf("Failed: got %v, want no call", err) },
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
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
	leak.Check(t)
	for _, outcome := range []error{failure.ErrChecksumMismatch, fmt.Errorf("x: %w", failure.ErrObjectChanged)} {
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

// The new file is another inode: a process that still writes to the old one does no harm.
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

// A record is in the journal only after an fdatasync has returned that began after Add. Records
// added meanwhile are appended together.
func TestRecordsFollowFdatasync(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	entered, leave := make(chan struct{}), make(chan struct{})
	f := open(t, dir, func(o *Options) {
		o.Target.System().SetFault(func(op, _ string) error {
			if op == "fdatasync" {
				entered <- struct{}{}
				<-leave
			}
			return nil
		})
	})
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
		t.Errorf("the journal grew by %d bytes before the first fdatasync returned", got-start)
	}
	leave <- struct{}{}
	<-entered // the second round
	if got := length(); got != start+32 {
		t.Errorf("the journal grew by %d bytes, want one record", got-start)
	}
	leave <- struct{}{}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.End(errCut)
	}()
	<-ended
	if got := length(); got != start+96 {
		t.Errorf("the journal grew by %d bytes, want three records", got-start)
	}
}

// An fdatasync that fails makes the download fail: the written bytes may be lost, and the system
// reports that only once.
func TestFdatasyncFails(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	f := open(t, dir)
	f.Add(record(1), false)
	f.End(errCut)

	failed := make(chan error, 1)
	f = open(t, dir, func(o *Options) { o.Failed = func(err error) { failed <- err } })
	restore := f.options.Target.System().SetFault(func(op, _ string) error {
		if op == "fdatasync" {
			return syscall.EIO
		}
		return nil
	})
	f.Add(record(2), true)
	if err := <-failed; !errors.Is(err, syscall.EIO) {
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

// A destination that appears leaves the partial file as it is. The next download may have another mode
// than the one that began the file.
func TestFileIsKeptFromAnother(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	fresh := func(o *Options) { o.Target = o.Target.NoClobber().WithMode(0o600) }
	f := open(t, dir, fresh)
	f.Add(record(1), true)
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, []byte("another"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := errors.Join(f.Quiesce(), f.Temp.Publish())
	if !errors.Is(err, failure.ErrExists) {
		t.Errorf("got %v, want %v", err, failure.ErrExists)
	}
	f.End(err)
	leak.Files(t, dir, "file", ".file.part", ".file.part.journal")

	f = open(t, dir, func(o *Options) { o.Target = o.Target.WithMode(0o444) })
	wantRecords(t, f, record(1))
	if err := errors.Join(f.Quiesce(), f.Temp.Publish()); err != nil {
		t.Fatal(err)
	}
	f.End(nil)
	leak.Files(t, dir, "file")
	if info, err := os.Stat(name); err != nil || info.Size() != size || info.Mode() != 0o444 {
		t.Errorf("got %v, %v, want the object with mode 0444", info, err)
	}
}
