package sink

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/internal/osfile"
)

// writers are ways to keep a file that is open for writing. Each returns how to let go of it.
var writers = map[string]func(t *testing.T, f *os.File) (release func()){
	"a copy": func(t *testing.T, f *os.File) func() {
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		return func() { unix.Close(fd) }
	},
	"a mapping": func(t *testing.T, f *os.File) func() {
		p, err := unix.Mmap(int(f.Fd()), 0, 3, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			t.Fatal(err)
		}
		return func() { unix.Munmap(p) }
	},
	"a mapping that can become writable": func(t *testing.T, f *os.File) func() {
		p, err := unix.Mmap(int(f.Fd()), 0, 3, unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			t.Fatal(err)
		}
		return func() { unix.Munmap(p) }
	},
	"opened again": func(t *testing.T, f *os.File) func() {
		again, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		return func() { again.Close() }
	},
	"in a socket": func(t *testing.T, f *os.File) func() {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Sendmsg(pair[0], []byte("x"), unix.UnixRights(int(f.Fd())), nil, 0); err != nil {
			t.Fatal(err)
		}
		return func() {
			unix.Close(pair[0])
			unix.Close(pair[1])
		}
	},
}

// A file is not published while somebody can write to it.
func TestSeal(t *testing.T) {
	for name, keep := range writers {
		t.Run(name, func(t *testing.T) {
			target, dir := resolved(t, true)
			temp, err := target.CreateAt(target.Path()+".kept", 3)
			if err != nil {
				t.Fatal(err)
			}
			temp.File().WriteAt([]byte("new"), 0)
			release := keep(t, temp.File())
			looks := 0
			err = temp.Seal(func() bool { looks++; return looks == 5 })
			if !errors.Is(err, ErrWriters) || looks != 5 {
				t.Errorf("got %v after %d looks, want %v after 5", err, looks, ErrWriters)
			}
			content(t, target.Path(), "old")
			if _, err := temp.File().WriteAt([]byte("x"), 0); err == nil {
				t.Error("this process can still write to it")
			}
			release()
			if err := temp.Publish(); err != nil {
				t.Error(err)
			}
			content(t, target.Path(), "new")
			untouched(t, dir, "file")
		})
	}
}

// Publish waits while a process has the file, and does not publish what the process has done to it.
func TestSealWaits(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(f *os.File) error
		want string // in the error
		mode os.FileMode
	}{
		"closes it":     {func(f *os.File) error { return nil }, "", 0o644},
		"shortens it":   {func(f *os.File) error { return f.Truncate(1) }, "has 1 bytes, want 3", 0},
		"opens it wide": {func(f *os.File) error { return f.Chmod(0o777) }, "", 0o644},
		"closes it off": {func(f *os.File) error { return f.Chmod(0) }, "", 0o644},
	} {
		t.Run(name, func(t *testing.T) {
			defer syscall.Umask(syscall.Umask(0o022))
			target, _ := resolved(t, false)
			temp := created(t, target, 3)
			kept, err := os.OpenFile(temp.Name(), os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			looks := 0
			defer target.System().SetFault(func(op, _ string) error {
				if op == "lease" {
					if looks++; looks == 3 {
						if err := c.do(kept); err != nil {
							t.Error(err)
						}
						kept.Close()
					}
				}
				return nil
			})()
			err = temp.Publish()
			if c.want == "" && err != nil || c.want != "" && !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if looks < 3 {
				t.Errorf("looked %d times", looks)
			}
			info, err := os.Stat(target.Path())
			if c.want == "" && (err != nil || info.Mode() != c.mode) {
				t.Errorf("got %v, %v, want mode %v", info, err, c.mode)
			}
			temp.Discard()
		})
	}
}

// Where the file system has no leases, and where the file is not this user's there, a file is
// published all the same.
func TestSealWithoutLeases(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EINVAL, syscall.EACCES, syscall.ENOLCK, syscall.ENOSYS} {
		target, _ := resolved(t, false)
		restore := target.System().SetFault(func(op, _ string) error {
			if op == "lease" {
				return errno
			}
			return nil
		})
		publish(t, target, "new")
		restore()
		content(t, target.Path(), "new")
	}
}

// Who gives the file away, so that its lease is refused, gains nothing.
func TestSealOfAFileGivenAway(t *testing.T) {
	target, _ := resolved(t, false)
	temp := created(t, target, 0)
	defer temp.Discard()
	give(t, temp.Name())
	kept, err := os.OpenFile(temp.Name(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	if err := temp.Seal(func() bool { return true }); !errors.Is(err, ErrWriters) {
		t.Errorf("got %v, want %v", err, ErrWriters)
	}
}

// BenchmarkSeal measures the lease, and the whole of Seal and what it replaces (a close).
func BenchmarkSeal(b *testing.B) {
	target, err := Resolve(nil, b.TempDir()+"/file")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("lease", func(b *testing.B) {
		temp, err := target.Create(0)
		if err != nil {
			b.Fatal(err)
		}
		defer temp.Discard()
		if err := temp.Seal(nil); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if err := (*osfile.System)(nil).NoWriters(temp.file, temp.info); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, seal := range map[string]func(*Temp) error{
		"seal":  func(t *Temp) error { return t.Seal(nil) },
		"close": func(t *Temp) error { return t.file.Close() },
	} {
		b.Run(name, func(b *testing.B) {
			var took time.Duration
			for b.Loop() {
				temp, err := target.Create(0)
				if err != nil {
					b.Fatal(err)
				}
				began := time.Now()
				if err := seal(temp); err != nil {
					b.Fatal(err)
				}
				took += time.Since(began)
				temp.Discard()
			}
			b.ReportMetric(float64(took.Nanoseconds())/float64(b.N)/1000, "us/file")
		})
	}
}
