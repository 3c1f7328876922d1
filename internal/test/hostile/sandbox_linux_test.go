package hostile_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/disk"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
	"github.com/s3processpool/processpool/internal/test/seccomp"
)

func init() { harness.Register("downloader", downloader) }

// downloader URL FILE OPTION... downloads b/k to the file in ranges of 64 KiB and prints the
// result. The options are "resume" and "durable".
func downloader(args []string) error {
	var resume, durable bool
	for _, option := range args[2:] {
		resume, durable = resume || option == "resume", durable || option == "durable"
	}
	d, err := harness.NewProgramDownloader(args[0], harness.Multipart(1, 64<<10), harness.Processes(1), func(c *processpool.Config) {
		c.Durable = durable
	})
	if err != nil {
		return err
	}
	f := d.DownloadFile(context.Background(), "b", "k", args[1], func(o *processpool.DownloadOptions) { o.Resume = resume })
	err = f.Result()
	fmt.Printf("resumed %d, error %v", f.Object().Resumed, err)
	return d.Shutdown()
}

func program(origin *s3test.Server, filename string, options ...string) *exec.Cmd {
	return exec.Command("/proc/self/exe", append([]string{"downloader", origin.URL(), filename}, options...)...)
}

// output runs a program, and fails the test if that does not succeed.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return string(out)
}

// A sandbox refuses system calls that serve a file. The download does without them.
func TestSandboxRefusesServices(t *testing.T) {
	services := []string{"fallocate", "ftruncate", "flock", "fchmod", "fsetxattr", "fremovexattr", "fgetxattr", "sync_file_range"}
	type refusal struct {
		calls []string
		errno syscall.Errno
	}
	cases := []refusal{
		{services, unix.EPERM}, // AWS Lambda refuses fallocate so
		{services, unix.ENOSYS},
		{services, unix.EACCES},
		{append([]string{"fsync", "fdatasync"}, services...), unix.EPERM},
		{[]string{"fallocate", "ftruncate"}, unix.ENODEV},
		{[]string{"flock"}, unix.EBADF}, // NFS, for a file that is not open for writing
		{[]string{"flock"}, unix.ENOLCK},
		{[]string{"mkdirat"}, unix.EPERM},
	}
	for _, call := range services {
		cases = append(cases, refusal{[]string{call}, unix.EPERM})
	}
	content := s3test.PatternBytes(1, 300_000)
	for _, c := range cases {
		for _, option := range []string{"", "resume", "durable"} {
			if option == "durable" && c.calls[0] == "fsync" {
				continue
			}
			t.Run(fmt.Sprintf("%s=%v,%s", strings.Join(c.calls, ","), c.errno, option), func(t *testing.T) {
				leak.Check(t)
				origin, dir := harness.StartOrigin(t), t.TempDir()
				origin.Put("b", "k", content)
				name := filepath.Join(dir, "file")
				if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
					t.Fatal(err)
				}
				if option == "resume" { // the second of two downloads, the first of which was interrupted
					origin.Inject(s3test.Fault{Range: "bytes=131072-196607", Times: 1, Status: 403})
					cmd := program(origin, name, option)
					seccomp.Refuse(t, cmd, c.errno, c.calls...)
					if out := output(t, cmd); !strings.Contains(out, "resumed 0, error processpool: ") {
						t.Errorf("the first: got %q", out)
					}
					leak.Files(t, dir, ".file.part", ".file.part.journal", "file")
				}
				cmd := program(origin, name, option)
				seccomp.Refuse(t, cmd, c.errno, c.calls...)
				want := "resumed 0, error <nil>"
				if option == "resume" {
					want = "resumed 131072, error <nil>"
				}
				if out := output(t, cmd); !strings.Contains(out, want) {
					t.Errorf("got %q", out)
				}
				harness.WantContent(t, name, content)
				leak.Files(t, dir, "file")
				if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
					t.Errorf("got mode %v, %v, want that of the old file", info.Mode(), err)
				}
			})
		}
	}
}

// A sandbox without fsync: Durable refuses before it fetches a byte.
func TestSandboxRefusesSync(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 300_000))
	cmd := program(origin, filepath.Join(dir, "file"), "durable")
	seccomp.Refuse(t, cmd, unix.EOPNOTSUPP, "fsync")
	if out := output(t, cmd); !strings.Contains(out, "cannot sync files") || !strings.Contains(out, "without Durable") {
		t.Errorf("got %q", out)
	}
	if n := len(harness.Requests(origin, "GET")); n != 0 {
		t.Errorf("got %d GETs, want none", n)
	}
	leak.Files(t, dir)
}

// A user without privileges replaces a file that he may not write to, and resumes the download. The
// file keeps its mode.
func TestResumeToReadOnlyFile(t *testing.T) {
	content := s3test.PatternBytes(1, 300_000)
	for _, mode := range []os.FileMode{0o444, 0o200, 0o400, 0} {
		t.Run(fmt.Sprintf("mode=%o", mode), func(t *testing.T) {
			leak.Check(t)
			origin := harness.StartOrigin(t)
			origin.Put("b", "k", content)
			var dir string
			run := func() string {
				cmd := exec.Command("/proc/self/exe", "downloader", origin.URL(), "", "resume")
				if made := disk.AnotherUser(t, cmd); dir == "" {
					dir = made
					if err := os.WriteFile(filepath.Join(dir, "file"), []byte("old"), mode); err != nil {
						t.Fatal(err)
					}
					if err := os.Chown(filepath.Join(dir, "file"), 65534, 65534); err != nil && os.Geteuid() == 0 {
						t.Fatal(err)
					}
				}
				cmd.Args[3] = filepath.Join(dir, "file")
				return output(t, cmd)
			}
			origin.Inject(s3test.Fault{Range: "bytes=131072-196607", Times: 1, Status: 403})
			if out := run(); !strings.Contains(out, "resumed 0, error processpool: ") {
				t.Errorf("the first: got %q", out)
			}
			if info, err := os.Stat(filepath.Join(dir, ".file.part")); err != nil || info.Mode()&0o600 != 0o600 {
				t.Errorf("the partial file: got %v, %v", info, err)
			}
			// As a copy or another version may have left them: only their owner can open them again.
			for _, name := range []string{".file.part", ".file.part.journal"} {
				if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
					t.Fatal(err)
				}
			}
			if out := run(); !strings.Contains(out, "resumed 131072, error <nil>") {
				t.Errorf("the second: got %q", out)
			}
			leak.Files(t, dir, "file")
			info, err := os.Stat(filepath.Join(dir, "file"))
			if err != nil || info.Mode() != mode || info.Size() != int64(len(content)) {
				t.Errorf("got %v, %v, want mode %o", info, err, mode)
			}
		})
	}
}
