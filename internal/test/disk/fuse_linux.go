package disk

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Options describe a file system of [Mount].
type Options struct {
	// Fold makes names equal that differ only in the case of letters. A file keeps the name that it
	// was created with.
	Fold bool
	// FoldBelow makes the directories of this name and those below them fold, and no others.
	FoldBelow string
	// Quota is how many bytes all files may have together. More are EDQUOT. 0 = no limit.
	Quota int64
	// Volatile has the server keep what was written since the last fsync, for [Power].
	Volatile bool
	// Refuse has the errors of calls: fsync, fsyncdir, fallocate, truncate, chmod, setxattr, flock,
	// mkdir, create, write; direct: a write past the page cache.
	Refuse map[string]syscall.Errno
}

const variable = "PROCESSPOOL_TEST_FUSE"

// Mount mounts a file system in memory on dir, which must exist. The mount ends with the test.
// It skips the test where no FUSE file system can be mounted.
func Mount(t *testing.T, dir string, o Options) {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", dir)
	cmd.Env = append(os.Environ(), variable+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Unmount(dir, unix.MNT_DETACH) // the server ends when nobody uses the mount any more
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if line = strings.TrimSpace(line); line != "mounted" {
		_, missing := os.Stat("/dev/fuse")
		skip(t, missing == nil && !strings.Contains(line, "not permitted") && !strings.Contains(line, "denied"),
			"no FUSE file system can be mounted here: %s %v", line, err)
	}
}

func init() {
	text := os.Getenv(variable)
	if text == "" {
		return
	}
	var o Options
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	if err := serve(os.Args[1], o); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve mounts the file system, says so, and answers the kernel until the mount ends.
func serve(dir string, o Options) error {
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions", fd)
	if err := unix.Mount("processpool-test", dir, "fuse", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	s := newServer(o)
	fmt.Println("mounted")
	buf := make([]byte, maxWrite+1<<12)
	for {
		n, err := unix.Read(fd, buf)
		switch {
		case err == unix.EINTR || err == unix.ENOENT: // the request was interrupted
			continue
		case err == unix.ENODEV:
			return nil
		case err != nil:
			return err
		}
		if answer := s.answer(buf[:n]); answer != nil {
			unix.Write(fd, answer) // ENOENT: nobody waits for it
		}
	}
}
