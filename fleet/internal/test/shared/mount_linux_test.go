package shared

import (
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/fleet/internal/test/site"
)

// system is a kind of mount, with what it keeps of what a local file system promises. All of them have
// an atomic rename and an exclusive create.
type system struct {
	name       string
	locks      bool // flock holds between the mounts
	attributes bool // extended attributes
	mount      func(t *testing.T, from, to string)
}

var systems = []system{
	{"bind mounts", true, true, bind},
	{"bindfs", true, true, bindfs},
	{"sshfs", false, false, sshfs},
}

// each runs a test with each kind of mount: two mounts of one directory.
func each(t *testing.T, test func(*testing.T, system, *site.Site, [2]string)) {
	for _, y := range systems {
		t.Run(y.name, func(t *testing.T) {
			t.Parallel()
			if os.Getuid() != 0 {
				t.Skip("only root can mount")
			}
			mounts := [2]string{t.TempDir(), t.TempDir()}
			s := site.New(t)
			for _, m := range mounts {
				y.mount(t, s.Dir, m)
			}
			test(t, y, s, mounts)
		})
	}
}

// missing skips a test, or fails it where all tests must run.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

func bind(t *testing.T, from, to string) {
	if err := unix.Mount(from, to, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(to, unix.MNT_DETACH) })
}

// bindfs is a file system in a process of its own, which hands each call on.
func bindfs(t *testing.T, from, to string) {
	program := look(t, "bindfs")
	start(t, to, exec.Command(program, "-f", "--multithreaded", "--enable-lock-forwarding", from, to))
}

// sshfs speaks SFTP with a server: here over pipes, without a network.
func sshfs(t *testing.T, from, to string) {
	program := look(t, "sshfs")
	server := exec.Command(look(t, "/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server"))
	client := exec.Command(program, "-f", "-o", "passive", ":"+from, to)
	var ends []io.Closer
	for _, pair := range [][2]*exec.Cmd{{server, client}, {client, server}} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		pair[0].Stdout, pair[1].Stdin = w, r
		ends = append(ends, r, w)
	}
	start(t, to, client, server)
	for _, e := range ends {
		e.Close()
	}
}

func look(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, "there is no %s", names[0])
	return ""
}

// start starts the programs of a mount, which end when it is unmounted, and waits until it is there.
func start(t *testing.T, to string, programs ...*exec.Cmd) {
	t.Helper()
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil {
		t.Skipf("FUSE: %v", err)
	} else {
		f.Close()
	}
	ended := make(chan error, len(programs))
	for _, cmd := range programs {
		cmd.Stderr = t.Output()
		cmd.WaitDelay = site.Patience
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { ended <- cmd.Wait() }()
		t.Cleanup(func() {
			_ = unix.Unmount(to, unix.MNT_DETACH)
			select {
			case <-ended:
			case <-time.After(site.Patience):
				t.Errorf("%s still runs", cmd.Path)
				_ = cmd.Process.Kill()
				<-ended
			}
		})
	}
	for deadline := time.Now().Add(site.Patience); ; time.Sleep(10 * time.Millisecond) {
		var fs unix.Statfs_t
		if err := unix.Statfs(to, &fs); err == nil && fs.Type == unix.FUSE_SUPER_MAGIC {
			return
		}
		select {
		case err := <-ended:
			ended <- err
			missing(t, "%s does not mount: %v", programs[0].Path, err)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not mount", programs[0].Path)
		}
	}
}

// kill ends a process at once.
func kill(t *testing.T, p *site.Process) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.Wait(-1)
}
