package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// calls counts the system calls on temporary files and fails one of them.
type calls struct {
	mu     sync.Mutex
	nth    int // to fail, from 0
	seen   []string
	failed string
}

func (c *calls) fail(op, _ string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, op)
	switch {
	case op == "fallocate" && c.nth%2 == 0: // as on a file system without it
		return syscall.EOPNOTSUPP
	case len(c.seen) == c.nth/2+1:
		c.failed = op
		return syscall.EIO
	}
	return nil
}

// With Durable, each system call fails in its turn: once where the file system preallocates and
// once where it does not. The destination is as before, except after the rename, where only the
// fsync of the directory can fail.
func TestFaultOfEachCall(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Multipart(5, 5), harness.Durable)
	failed := map[string]bool{}
	passed := 0
	for nth := 0; passed < 2; nth++ {
		dir := t.TempDir()
		name := filepath.Join(dir, "file")
		if err := os.WriteFile(name, []byte("old"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, 0o777); err != nil { // WriteFile is subject to the umask
			t.Fatal(err)
		}
		c := calls{nth: nth}
		restore := harness.Fault(t, c.fail)
		err := harness.Download(t, d, "k", name)
		restore()
		failed[c.failed] = true
		t.Run(fmt.Sprintf("nth=%d,call=%s", nth, c.failed), func(t *testing.T) {
			switch c.failed {
			case "":
				passed++
				if err != nil {
					t.Error(err)
				}
				harness.WantContent(t, name, harness.Content)
			case "syncdir":
				harness.WantError(t, err, syscall.EIO)
				harness.WantContent(t, name, harness.Content)
			default:
				passed = 0
				harness.WantError(t, err, syscall.EIO)
				harness.WantContent(t, name, []byte("old"))
			}
			leak.Files(t, dir, "file")
			harness.WantNext(t, origin, d)
		})
	}
	for _, op := range []string{"open", "stat", "chmod", "fallocate", "truncate", "fsync", "close", "rename", "syncdir"} {
		if !failed[op] {
			t.Errorf("%s never failed", op)
		}
	}
}

// A temporary file that cannot be removed remains, and does not change the result.
func TestFaultOfRemove(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	c := calls{nth: -1}
	harness.Fault(t, func(op, path string) error {
		switch c.fail(op, path); op {
		case "rename":
			return syscall.EXDEV
		case "remove":
			return syscall.EPERM
		}
		return nil
	})
	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), syscall.EXDEV)
	if last := c.seen[len(c.seen)-1]; last != "remove" || slices.Index(c.seen, "remove") != len(c.seen)-1 {
		t.Errorf("got calls %q, want one remove at their end", c.seen)
	}
	leak.Files(t, dir, filepath.Base(harness.Temporary(t, dir, "file")))
}
