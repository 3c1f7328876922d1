//go:build linux || darwin

package upstream_test

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// T5, T13: the transfer manager of upstream writes into special files, and its process pool
// replaces them. This library refuses them before any request, and leaves them as they are.
func TestDestinationIsSpecial(t *testing.T) {
	for _, c := range []struct {
		name string
		mode fs.FileMode
		make func(t *testing.T, name string)
	}{
		{"T5 fifo", fs.ModeNamedPipe, func(t *testing.T, name string) {
			if err := syscall.Mkfifo(name, 0o666); err != nil {
				t.Fatal(err)
			}
		}},
		{"T13 device", fs.ModeDevice | fs.ModeCharDevice, func(t *testing.T, name string) {
			if err := syscall.Mknod(name, syscall.S_IFCHR|0o666, 1<<8|3); err != nil { // as /dev/null on Linux
				t.Skipf("no device can be made here: %v", err)
			}
		}},
		{"socket", fs.ModeSocket, func(t *testing.T, name string) {
			l, err := net.Listen("unix", name)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			d := harness.NewDownloader(t, origin)
			name, link := filepath.Join(dir, "special"), filepath.Join(dir, "link")
			c.make(t, name)
			if err := os.Symlink("special", link); err != nil {
				t.Fatal(err)
			}

			harness.WantError(t, harness.Download(t, d, "k", name), sink.ErrNotRegular)
			harness.WantError(t, harness.Download(t, d, "k", link), sink.ErrNotRegular)
			if n := len(origin.Requests()); n != 0 {
				t.Errorf("got %d requests, want none", n)
			}
			if info, err := os.Lstat(name); err != nil || info.Mode().Type() != c.mode {
				t.Errorf("got %v, %v, want what was there", info, err)
			}
			leak.Files(t, dir, "link", "special")
		})
	}
}

// A symbolic link is followed, also through another link and to a file that does not exist yet. The
// file it points to is replaced.
func TestDestinationIsALink(t *testing.T) {
	for _, target := range []string{"present", "absent"} {
		t.Run(target, func(t *testing.T) {
			leak.Check(t)
			origin, dir, other := harness.StartOrigin(t), t.TempDir(), t.TempDir()
			origin.Put("b", "k", harness.Content)
			d := harness.NewDownloader(t, origin)
			name := filepath.Join(dir, "link")
			if target == "present" {
				if err := os.WriteFile(filepath.Join(other, target), []byte("old"), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			for link, to := range map[string]string{"link": "second", "second": filepath.Join(other, target)} {
				if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
					t.Fatal(err)
				}
			}
			gate := make(chan struct{})
			origin.Inject(s3test.Fault{Method: "GET", Gate: gate})

			f := d.DownloadFile(t.Context(), "b", "k", name)
			harness.Arrive(t, origin, 1, "GET")
			harness.Temporary(t, other, target) // in the directory of the file, not of the link
			close(gate)
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, filepath.Join(other, target), harness.Content)
			if got, err := os.Readlink(name); err != nil || got != "second" {
				t.Errorf("the link: got %q, %v, want it as it was", got, err)
			}
			leak.Files(t, dir, "link", "second")
			leak.Files(t, other, target)
		})
	}
}

func TestDestinationIsALoop(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	d := harness.NewDownloader(t, origin)
	name := filepath.Join(dir, "loop")
	if err := os.Symlink("loop", name); err != nil {
		t.Fatal(err)
	}
	harness.WantError(t, harness.Download(t, d, "k", name), syscall.ELOOP)
	leak.Files(t, dir, "loop")
}

// The permission bits of a file that is replaced are kept, and the temporary file has them from the
// start. Besides, its owner can read it and write to it. A new file has those of the umask.
func TestDestinationMode(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	defer syscall.Umask(syscall.Umask(0o027))
	for _, c := range []struct {
		name      string
		old, want fs.FileMode
	}{
		{"none", 0, 0o640}, {"0600", 0o600, 0o600}, {"0400", 0o400, 0o400}, {"0666", 0o666, 0o666}, {"0755", 0o755, 0o755},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			name := filepath.Join(dir, "file")
			if c.old != 0 {
				if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(name, c.old); err != nil {
					t.Fatal(err)
				}
			}
			gate := make(chan struct{})
			origin.ClearFaults()
			origin.ResetRequests()
			origin.Inject(s3test.Fault{Method: "GET", Gate: gate})
			f := d.DownloadFile(t.Context(), "b", "k", name)
			harness.Arrive(t, origin, 1, "GET")
			wantMode(t, harness.Temporary(t, dir, "file"), c.want|0o600)
			close(gate)
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			wantMode(t, name, c.want)
			harness.WantContent(t, name, harness.Content)
			leak.Files(t, dir, "file")
		})
	}
}

func wantMode(t *testing.T, name string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode(); got != want {
		t.Errorf("mode of %s: got %v, want %v", filepath.Base(name), got, want)
	}
}
