package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
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

// written is a journal as it is on disk.
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
		t.Errorf("what the link leads to: got %q", got)
	}
}

// Cut off at each byte, and with each bit of each byte flipped: what is read is the
// beginning of what was written, or nothing.
func TestJournalDamaged(t *testing.T) {
	whole := written(t)
	start := len(whole) - len(records)*recordSize
	check := func(p []byte, least int) {
		t.Helper()
		h, got, err := decode(p)
		switch {
		case err != nil && least >= 0:
			t.Fatalf("got %v, want %d records", err, least)
		case err != nil:
		case least < 0:
			t.Fatalf("got %+v, want an error", h)
		case !reflect.DeepEqual(h, header) || !slices.Equal(got, records[:least]):
			t.Fatalf("got %+v, %v, want the first %d records", h, got, least)
		}
	}
	check(whole, len(records))
	for n := range whole {
		if n < start {
			check(whole[:n], -1)
		} else {
			check(whole[:n], (n-start)/recordSize)
		}
		for bit := range 8 {
			p := bytes.Clone(whole)
			p[n] ^= 1 << bit
			if n < start {
				check(p, -1)
			} else {
				check(p, (n-start)/recordSize)
			}
		}
		if n >= start { // a byte that was never written
			p := bytes.Clone(whole)
			clear(p[n:])
			check(p, (n-start)/recordSize)
		}
	}
}

func decode(p []byte) (Header, []Record, error) {
	r := bytes.NewReader(p)
	h, seed, err := decodeHeader(r)
	if err != nil {
		return Header{}, nil, err
	}
	return h, decodeRecords(r, seed, h.Size), nil
}

// Records of an older journal that a crash has brought back behind a new header are
// none of its own.
func TestJournalOldRecords(t *testing.T) {
	first, second := written(t), written(t)
	mixed := append(bytes.Clone(second[:len(second)-3*recordSize]), first[len(first)-3*recordSize:]...)
	if _, got, err := decode(mixed); err != nil || len(got) > 0 {
		t.Errorf("got %v, %v, want no record", got, err)
	}
}

// What stands behind a damaged record does not come to light again when that is
// written over.
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

func TestJournalOfAnotherFormat(t *testing.T) {
	for name, c := range map[string]struct {
		p    []byte
		want error
	}{
		"newer":   {append(binary.LittleEndian.AppendUint32([]byte(magic), format+1), written(t)[12:]...), ErrFormat},
		"foreign": {[]byte("a file that is somebody's"), ErrForeign},
		"short":   {[]byte("a"), ErrForeign},
		"torn":    {[]byte(magic), ErrDamaged},
		"large":   {append([]byte(magic), 1, 0, 0, 0, 255, 255, 255, 255), ErrDamaged},
		"empty":   {nil, io.EOF},
		"digest":  {sealed(t, `{"Algorithm":"MD5","Size":5}`), ErrDamaged},
		"size":    {sealed(t, `{"Algorithm":"CRC32","Size":-5}`), ErrDamaged},
		"text":    {sealed(t, `Algorithm: CRC32`), ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := decode(c.p); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// sealed is a header of any body, with the right checksum.
func sealed(t *testing.T, body string) []byte {
	t.Helper()
	p := binary.LittleEndian.AppendUint32([]byte(magic), format)
	p = binary.LittleEndian.AppendUint32(p, uint32(len(body)))
	p = append(p, body...)
	return binary.LittleEndian.AppendUint32(p, crc32.Checksum(p, crc32.MakeTable(crc32.Castagnoli)))
}

func TestHeaderSame(t *testing.T) {
	for name, change := range map[string]func(*Header){
		"bucket":  func(h *Header) { h.Bucket = "c" },
		"key":     func(h *Header) { h.Key = "l" },
		"version": func(h *Header) { h.VersionID = "" },
		"etag":    func(h *Header) { h.ETag = `"f"` },
		"size":    func(h *Header) { h.Size++ },
		"time":    func(h *Header) { h.LastModified = h.LastModified.Add(time.Second) },
	} {
		other := header
		change(&other)
		if header.Same(other) {
			t.Errorf("%s: got the same, want another", name)
		}
	}
	other := header
	other.Algorithm, other.LastModified = checksum.CRC32, other.LastModified.In(time.FixedZone("x", 3600))
	if !header.Same(other) {
		t.Error("another algorithm, and zone: got another, want the same")
	}
}

// FuzzJournal reads anything without harm: what it finds is within the object, and
// is what was written if the header is.
func FuzzJournal(f *testing.F) {
	whole := written(f)
	f.Add(whole)
	f.Add(whole[:len(whole)-7])
	f.Add([]byte(magic))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, p []byte) {
		h, got, err := decode(p)
		if err != nil {
			return
		}
		if !h.Algorithm.Combines() || h.Size < 0 {
			t.Fatalf("got the header %+v", h)
		}
		for _, r := range got {
			if r.Offset < 0 || r.Length < 1 || r.End() > h.Size || r.End() < 0 {
				t.Fatalf("got %+v of %d bytes", r, h.Size)
			}
		}
	})
}
