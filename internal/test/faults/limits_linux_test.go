package faults_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func init() { harness.Register("limited", limited) }

// limited is an application that meets a resource limit of its own. It prints nothing if all is as
// expected.
func limited(args []string) error {
	url, dir, which := args[0], args[1], args[2]
	d, err := harness.NewProgramDownloader(url)
	if err != nil {
		return err
	}
	if r, w, err := os.Pipe(); err == nil { // the runtime opens the descriptors of its poller before the limit applies
		r.Close()
		w.Close()
	}
	get := func(name string) error {
		return d.DownloadFile(context.Background(), "b", "k", filepath.Join(dir, name)).Result()
	}
	resource, n, want := unix.RLIMIT_NOFILE, uint64(0), []error{syscall.EMFILE}
	switch which {
	case "descriptors for workers":
		want = append(want, processpool.ErrWorkerLost)
	case "descriptors for a file":
		err = get("first")
	case "file size":
		resource, n, want = unix.RLIMIT_FSIZE, harness.MiB, []error{syscall.EFBIG}
	}
	var old syscall.Rlimit
	if err := errors.Join(err, syscall.Getrlimit(resource, &old)); err != nil {
		return err
	}
	if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: n, Max: old.Max}); err != nil {
		return err
	}
	err = get("limited")
	for _, w := range want {
		if !errors.Is(err, w) {
			fmt.Printf("got %v, want one that is %v\n", err, w)
		}
	}
	if err := syscall.Setrlimit(resource, &old); err != nil {
		return err
	}
	if err := get("next"); which != "file size" && err != nil {
		fmt.Printf("the next: %v\n", err)
	} else if which == "file size" && !errors.Is(err, syscall.EFBIG) {
		fmt.Printf("the next: %v, want EFBIG of a worker, which was started under the limit\n", err)
	}
	return d.Shutdown()
}

// Resource limits of the application: too few descriptors to start a worker, too few to create the
// temporary file, and a file size, which its workers inherit.
func TestFaultLimitOfTheApplication(t *testing.T) {
	for _, c := range []struct {
		which string
		files []string
	}{
		{"descriptors for workers", []string{"next"}},
		{"descriptors for a file", []string{"first", "next"}},
		{"file size", nil},
	} {
		t.Run(c.which, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", s3test.PatternBytes(1, 2*harness.MiB))
			out, err := exec.Command("/proc/self/exe", "limited", origin.URL(), dir, c.which).CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("got %v\n%s", err, out)
			}
			leak.Files(t, dir, c.files...)
		})
	}
}
