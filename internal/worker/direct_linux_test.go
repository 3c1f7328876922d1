package worker

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"github.com/s3processpool/processpool/internal/osfile"
	"github.com/s3processpool/processpool/internal/test/disk"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// split returns a file on a disk with both its descriptors, and a buffer that begins at an address for
// direct writes.
func split(t *testing.T, size int) (*splitFile, []byte) {
	t.Helper()
	f, err := os.Create(filepath.Join(disk.Dir(t), "file"))
	if err != nil {
		t.Fatal(err)
	}
	var sys osfile.System
	direct, align, err := sys.OpenDirect(f)
	if err != nil {
		t.Skipf("no direct writes here: %v", err)
	}
	s := &splitFile{file: f, direct: direct, align: align}
	t.Cleanup(s.close)
	buf := make([]byte, size+int(align))
	skip := -uintptr(unsafe.Pointer(&buf[0])) & uintptr(align-1)
	return s, buf[skip : skip+uintptr(size)]
}

// Whole pages go direct, what is before and behind them does not, and every byte is where it should be.
func TestSplitFile(t *testing.T) {
	const page = 4096
	for _, c := range []struct{ offset, length, direct int }{
		{0, page, page}, {0, 4 * page, 4 * page}, {page, page, page},
		{0, page - 1, 0}, {0, page + 1, page}, {0, 1, 0}, {0, 0, 0},
		{1, page - 1, 0}, {1, page, 0}, {page - 1, 2, 0},
	} {
		s, buf := split(t, c.length)
		want := s3test.PatternBytes(1, int64(c.length))
		copy(buf, want)
		if n, err := s.WriteAt(buf, int64(c.offset)); n != c.length || err != nil {
			t.Errorf("%+v: got %d, %v", c, n, err)
		}
		if s.went != int64(c.direct) {
			t.Errorf("%+v: %d bytes went direct", c, s.went)
		}
		got := make([]byte, c.length)
		if _, err := s.file.ReadAt(got, int64(c.offset)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%+v: other bytes are in the file, %v", c, err)
		}
	}
}

// A direct write that the file system refuses is made again by way of the page cache, and so are all
// that follow.
func TestSplitFileFallsBack(t *testing.T) {
	s, buf := split(t, 4*4096)
	odd := append(make([]byte, 1), buf...)[1:] // an address that suits no device
	if uintptr(unsafe.Pointer(&odd[0]))%2 == 0 {
		t.Fatal("the address is even")
	}
	copy(odd, s3test.PatternBytes(1, int64(len(odd))))
	for range 2 {
		if n, err := s.WriteAt(odd, 0); n != len(odd) || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
	}
	if s.direct != nil || s.went != 0 {
		t.Errorf("%d bytes went direct, and the descriptor is still used: %t", s.went, s.direct != nil)
	}
	got := make([]byte, len(odd))
	if _, err := s.file.ReadAt(got, 0); err != nil || !bytes.Equal(got, odd) {
		t.Errorf("other bytes are in the file, %v", err)
	}
}
