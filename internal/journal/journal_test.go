package journal

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/test/leak"
)

var (
	header = Header{
		Bucket: "b", Key: "k ü\x00", VersionID: "v", ETag: `"e"`, Size: 1 << 40,
		LastModified: time.Unix(1700000000, 0).UTC(), Algorithm: checksum.CRC64NVME,
	}
	records = []Record{{0, 8 << 20, 1<<64 - 1}, {16 << 20, 1, 0}, {1<<40 - 5, 5, 7}}
)

func open1(t *testing.T, name string) *Journal {
	t.Helper()
	j, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// written returns the bytes of a journal with a header and all of records.
func written(t testing.TB) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "journal")
	j, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := errors.Join(j.Begin(header), j.Append(records[:2]), j.Append(records[2:]), j.Sync()); err != nil {
		t.Fatal(err)
	}
	p, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantRecords(t *testing.T, j *Journal, want []Record) {
	t.Helper()
	h, got, err := j.Read()
	if err != nil || !reflect.DeepEqual(h, header) || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v, %v, want %+v, %v", h, got, err, header, want)
	}
}

func TestJournal(t *testing.T) {
	leak.Check(t)
	name := filepath.Join(t.TempDir(), "journal")
	j := open1(t, name)
	if _, _, err := j.Read(); err != io.EOF {
		t.Errorf("a new one: got %v, want EOF", err)
	}
	if err := errors.Join(j.Begin(header), j.Append(records[:1]), j.Append(records[1:])); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, j, records)
	j.Close()

	j = open1(t, name)
	wantRecords(t, j, records)
	if err := j.Append(records[:1]); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, j, append(slices.Clone(records), records[0]))
	if err := j.Begin(header); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, j, nil)
	if err := j.Remove(); err != nil {
		t.Error(err)
	}
	leak.Files(t, filepath.Dir(name))
}

func TestJournalIsBusy(t *testing.T) {
	leak.Check(t)
	name := filepath.Join(t.TempDir(), "journal")
	first := open1(t, name)
	if _, err := Open(name); !errors.Is(err, failure.ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	if err := first.Remove(); err != nil {
		t.Fatal(err)
	}
	second := open1(t, name)
	defer second.Close()
	if _, err := OpenExisting(name); !errors.Is(err, failure.ErrBusy) {
		t.Errorf("got %v, want ErrBusy of the new file", err)
	}
}

func TestJournalRefusesWhatIsNoFile(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	if _, err := Open(dir); err == nil {
		t.Error("a directory: got nil, want an error")
	}
	victim := filepath.Join(dir, "victim")
	if err := errors.Join(os.WriteFile(victim, []byte("theirs"), 0o600), os.Symlink(victim, filepath.Join(dir, "link"))); err != nil {
		t.Skip(err)
	}
	if _, err := Open(filepath.Join(dir, "link")); err == nil {
		t.Error("a link: got nil, want an error")
	}
	if got, _ := os.ReadFile(victim); string(got) != "theirs" {
		t.Errorf("the target of the link: got %q", got)
	}
}

// Records after a damaged one are not read after that is overwritten.
func TestJournalGoesOnBehindDamage(t *testing.T) {
	leak.Check(t)
	name := filepath.Join(t.TempDir(), "journal")
	p := written(t)
	p[len(p)-3*recordSize] ^= 1 // the first of three
	if err := os.WriteFile(name, p, 0o600); err != nil {
		t.Fatal(err)
	}
	j := open1(t, name)
	defer j.Close()
	wantRecords(t, j, nil)
	if err := j.Append(records[2:]); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, j, records[2:])
}
