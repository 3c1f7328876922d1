package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
)

// The journal is cut at each byte, and each bit of each byte is flipped. Read returns a prefix of
// the records, or none.
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

// Records of an older journal that a crash restored after a new header are not read.
func TestJournalOldRecords(t *testing.T) {
	first, second := written(t), written(t)
	mixed := append(bytes.Clone(second[:len(second)-3*recordSize]), first[len(first)-3*recordSize:]...)
	if _, got, err := decode(mixed); err != nil || len(got) > 0 {
		t.Errorf("got %v, %v, want no record", got, err)
	}
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

// sealed returns a header with the given body and the right checksum.
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

// FuzzJournal reads any bytes. All records that it returns are within the object.
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

// A file of any length that begins as a journal does costs bounded memory.
func TestJournalWithoutEnd(t *testing.T) {
	whole := written(t)
	h, seed, err := decodeHeader(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	record := appendRecord(nil, records[0], seed)
	endless := readerFunc(func(p []byte) (int, error) { return copy(p, record), nil })
	if got := decodeRecords(endless, seed, h.Size); len(got) != maxRecords {
		t.Errorf("got %d records, want %d", len(got), maxRecords)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
