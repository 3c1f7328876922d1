package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/test/disk"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Files without a name, and with another than the one they had.
func TestDownloadToNameless(t *testing.T) {
	content := s3test.PatternBytes(1, 3*harness.MiB+5)
	for name, open := range map[string]func(t *testing.T) *os.File{
		"memfd": harness.Memory,
		"O_TMPFILE": func(t *testing.T) *os.File {
			f, err := os.OpenFile(t.TempDir(), os.O_RDWR|unix.O_TMPFILE, 0o600)
			if err != nil {
				t.Skipf("no O_TMPFILE here: %v", err)
			}
			return f
		},
		"unlinked": func(t *testing.T) *os.File {
			f := create(t, filepath.Join(t.TempDir(), "file"), "old")
			if err := os.Remove(f.Name()); err != nil {
				t.Fatal(err)
			}
			return f
		},
		"larger memfd": func(t *testing.T) *os.File {
			f := harness.Memory(t)
			if err := f.Truncate(10 * harness.MiB); err != nil {
				t.Fatal(err)
			}
			return f
		},
	} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin := harness.StartOrigin(t)
			origin.Put("b", "k", content)
			d := harness.NewDownloader(t, origin, harness.Multipart(harness.MiB, harness.MiB))
			f := open(t)
			defer f.Close()
			future := d.DownloadTo(t.Context(), "b", "k", f)
			if err := harness.Result(t, future); err != nil {
				t.Fatal(err)
			}
			if got := future.Object().Verified; got != "CRC64NVME full object" {
				t.Errorf("Verified: got %q", got)
			}
			wantMapped(t, f, content)
		})
	}
}

// wantMapped fails the test unless the file, mapped into memory, has the content.
func wantMapped(t *testing.T, f *os.File, want []byte) {
	t.Helper()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	got, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(got)
	if !bytes.Equal(got, want) {
		t.Errorf("got %d bytes that are not the %d of the object", len(got), len(want))
	}
}

// What only Linux has is refused in its own words.
func TestDownloadToRefusedLinux(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	open := func(name string, flags int) *os.File {
		f, err := os.OpenFile(name, flags, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	sealed := harness.Memory(t)
	if _, err := unix.FcntlInt(sealed.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_WRITE); err != nil {
		t.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	socket := os.NewFile(uintptr(pair[0]), "socket")
	defer socket.Close()
	defer unix.Close(pair[1])
	name := filepath.Join(t.TempDir(), "file")
	create(t, name, "old")
	for _, c := range []struct {
		file *os.File
		text string
		want error
	}{
		{sealed, "sealed", sink.ErrNotWritable},
		{socket, "socket", sink.ErrNotRegular},
		{open(name, unix.O_PATH), "", nil},
		{open(name, os.O_RDWR|unix.O_DIRECT), "O_DIRECT", sink.ErrNotWritable},
	} {
		err := to(t, d, c.file)
		if c.want != nil {
			harness.WantError(t, err, c.want)
		}
		if e := harness.TransferError(t, err); e.Op != processpool.OpCheck || !bytes.Contains([]byte(err.Error()), []byte(c.text)) {
			t.Errorf("got %v, want an error of the check that says %q", err, c.text)
		}
	}
	if n := len(origin.Requests()); n > 0 {
		t.Errorf("%d requests, want none", n)
	}
}

// A file that is open for writing only is as good.
func TestDownloadToWriteOnly(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	f, err := os.OpenFile(filepath.Join(dir, "file"), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := to(t, d, f); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, f.Name(), harness.Content)
}

// A block device keeps its size. One that is too small is ENOSPC before the first byte.
func TestDownloadToDevice(t *testing.T) {
	leak.Check(t)
	device := disk.Loop(t, 4*harness.MiB)
	origin := harness.StartOrigin(t)
	for _, size := range []int64{1, 4*harness.MiB - 1, 4 * harness.MiB} {
		content := s3test.PatternBytes(uint64(size), size)
		origin.Put("b", "k", content)
		d := harness.NewDownloader(t, origin, harness.Multipart(harness.MiB, harness.MiB))
		if err := to(t, d, device, func(o *processpool.DownloadOptions) { o.Durable = true }); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, size)
		if _, err := device.ReadAt(got, 0); err != nil || !bytes.Equal(got, content) {
			t.Errorf("size=%d: the device has other bytes, %v", size, err)
		}
		for _, set := range []func(*processpool.DownloadOptions){
			func(o *processpool.DownloadOptions) { o.Mode = 0o600 },
			func(o *processpool.DownloadOptions) { o.KeepModTime = true },
		} {
			harness.WantError(t, to(t, d, device, set), fs.ErrInvalid)
		}
	}
	origin.Put("b", "k", make([]byte, 4*harness.MiB+1))
	origin.ResetRequests()
	d := harness.NewDownloader(t, origin)
	err := to(t, d, device)
	harness.WantError(t, err, syscall.ENOSPC)
	if e := harness.TransferError(t, err); e.Op != processpool.OpCreate {
		t.Errorf("got %v", err)
	}
	harness.WantRanges(t, origin)
}

// A block device is written past the page cache, whatever its sectors, and what does not fill a page by
// way of it. Bytes beyond the download's stay.
func TestDownloadToDeviceDirect(t *testing.T) {
	const room, chunk = 4*harness.MiB + 4096, 500_001
	content := s3test.PatternBytes(5, room)
	for _, sector := range []int{512, 4096} {
		for _, c := range []struct{ first, length int64 }{{0, room}, {0, room - 1}, {777, 3 * harness.MiB}, {4096, chunk}} {
			t.Run(fmt.Sprintf("sector=%d,first=%d,length=%d", sector, c.first, c.length), func(t *testing.T) {
				leak.Check(t)
				device := disk.Sectors(t, room, sector)
				before := s3test.PatternBytes(6, room)
				if _, err := device.WriteAt(before, 0); err != nil {
					t.Fatal(err)
				}
				origin := harness.StartOrigin(t)
				origin.Put("b", "k", content)
				d := harness.NewDownloader(t, origin, harness.DirectIO, harness.Multipart(1, chunk))
				f := d.DownloadTo(t.Context(), "b", "k", device, part(c.first, c.length), func(o *processpool.DownloadOptions) { o.Durable = true })
				if err := harness.Result(t, f); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, room)
				if _, err := device.ReadAt(got, 0); err != nil || !bytes.Equal(got[:c.length], content[c.first:c.first+c.length]) {
					t.Errorf("the device has other bytes, %v", err)
				}
				if !bytes.Equal(got[c.length:], before[c.length:]) {
					t.Error("bytes behind those of the download have changed")
				}
				ranges := (c.length + chunk - 1) / chunk
				small := c.length % chunk // the last range
				if direct := f.Object().Direct; direct < c.length-small-ranges*2*4096 || direct > c.length {
					t.Errorf("%d of %d bytes went direct", direct, c.length)
				}
			})
		}
	}
}

// A memory file may refuse to grow or to be cut.
func TestDownloadToSealedSize(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	for before, want := range map[int64]error{10: nil, 9: syscall.EPERM, 11: syscall.EPERM} {
		t.Run(fmt.Sprint(before), func(t *testing.T) {
			f := harness.Memory(t)
			if err := f.Truncate(before); err != nil {
				t.Fatal(err)
			}
			if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_GROW|unix.F_SEAL_SHRINK); err != nil {
				t.Fatal(err)
			}
			if err := to(t, d, f); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
}
