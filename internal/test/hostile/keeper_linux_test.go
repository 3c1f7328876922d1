package hostile_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func init() { harness.Register("keeper", keeper) }

// keeper DIR serves as a worker that does its jobs well, and keeps the file of each GetObject in the
// way that the object's key names. It changes the file when DIR has a file with the name of the key,
// and lets go of it when DIR has the file "release".
func keeper(args []string) error {
	dir := args[0]
	return processpool.ServeWorker(s3.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("keeper", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			if get, ok := in.Parameters.(*s3.GetObjectInput); ok {
				if err := keep(aws.ToString(get.Key), dir); err != nil {
					return middleware.InitializeOutput{}, middleware.Metadata{}, err
				}
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
	}))
}

func keep(key, dir string) error {
	if key == "next" {
		return nil
	}
	fd, err := given(dir, key)
	if err != nil {
		return err
	}
	var change, release func()
	switch how, _, _ := strings.Cut(key, "."); how {
	case "copy":
		change = func() {
			unix.Pwrite(fd, []byte("changed"), 0)
			unix.Fchmod(fd, 0o777)
			unix.Ftruncate(fd, 1)
		}
		release = func() { unix.Close(fd) }
	case "mapping":
		p, err := unix.Mmap(fd, 0, 1, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			return err
		}
		unix.Close(fd)
		change = func() { p[0]++ }
		release = func() { unix.Munmap(p) }
	case "socket":
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		if err := unix.Sendmsg(pair[0], []byte("x"), unix.UnixRights(fd), nil, 0); err != nil {
			return err
		}
		unix.Close(fd)
		change = func() {
			buf, rights := make([]byte, 1), make([]byte, 64)
			_, n, _, _, _ := unix.Recvmsg(pair[1], buf, rights, 0)
			if messages, _ := unix.ParseSocketControlMessage(rights[:n]); len(messages) > 0 {
				fds, _ := unix.ParseUnixRights(&messages[0])
				unix.Pwrite(fds[0], []byte("changed"), 0)
			}
		}
		release = func() {
			unix.Close(pair[0])
			unix.Close(pair[1])
		}
	}
	go func() {
		for {
			if _, err := os.Stat(filepath.Join(dir, "release")); err == nil {
				release()
				return
			}
			if _, err := os.Stat(filepath.Join(dir, key)); err == nil {
				change()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	return nil
}

// given returns a copy of the descriptor that this process has of the temporary or partial file of a
// key.
func given(dir, key string) (int, error) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		name, _ := os.Readlink("/proc/self/fd/" + e.Name())
		base := filepath.Base(name)
		if filepath.Dir(name) == dir && (base == "."+key+".part" || len(base) == len(key)+9 && strings.HasPrefix(base, key+".")) {
			var fd int
			fmt.Sscan(e.Name(), &fd)
			return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		}
	}
	return 0, fmt.Errorf("no file of %s here", key)
}

func keepers(dir string) func(*processpool.Config) {
	return func(c *processpool.Config) { c.WorkerCommand = []string{"/proc/self/exe", "keeper", dir} }
}

// A worker that keeps a file cannot change it after the Result: its download waits for it, and fails.
func TestFileIsKept(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	harness.WritersWait(t, time.Second)
	d := harness.NewDownloader(t, origin, keepers(dir), harness.Processes(5))
	futures := map[string]*processpool.Future{}
	for key, options := range map[string][]func(*processpool.DownloadOptions){
		"copy": nil, "mapping": nil, "socket": nil, "copy.get": {harness.SkipHead}, "copy.resume": {harness.Resume},
	} {
		origin.Put("b", key, harness.Content)
		futures[key] = d.DownloadFile(t.Context(), "b", key, filepath.Join(dir, key), options...)
	}
	for key, f := range futures {
		err := harness.Result(t, f)
		if err == nil { // the worker changes the file when it sees it
			time.Sleep(100 * time.Millisecond)
			harness.WantContent(t, filepath.Join(dir, key), harness.Content)
		}
		harness.WantError(t, err, sink.ErrWriters)
		if !strings.Contains(err.Error(), "(waited 1s)") {
			t.Errorf("got %v, want how long it waited", err)
		}
	}
	leak.Files(t, dir, ".copy.resume.part", ".copy.resume.part.journal")
	harness.WantNext(t, origin, d)
}

// Publication waits until the worker has closed the file.
func TestFileIsKeptForAWhile(t *testing.T) {
	for _, key := range []string{"copy", "mapping", "socket"} {
		t.Run(key, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", key, harness.Content)
			var looks atomic.Int32
			harness.Fault(t, func(op, _ string) error {
				if op == "lease" && looks.Add(1) == 5 {
					return os.WriteFile(filepath.Join(dir, "release"), nil, 0o600)
				}
				return nil
			})
			d := harness.NewDownloader(t, origin, keepers(dir))
			if err := harness.Download(t, d, key, filepath.Join(dir, key)); err != nil {
				t.Error(err)
			}
			if n := looks.Load(); n < 5 {
				t.Errorf("published after %d looks", n)
			}
			harness.WantContent(t, filepath.Join(dir, key), harness.Content)
			leak.Files(t, dir, key, "release")
		})
	}
}

// A cancel takes effect while a download waits for a worker to close its file.
func TestCancelWhileAFileIsKept(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "copy", harness.Content)
	looking, once := make(chan struct{}), new(atomic.Bool)
	harness.Fault(t, func(op, _ string) error {
		if op == "lease" && once.CompareAndSwap(false, true) {
			close(looking)
		}
		return nil
	})
	d := harness.NewDownloader(t, origin, keepers(dir))
	f := d.DownloadFile(t.Context(), "b", "copy", filepath.Join(dir, "copy"))
	harness.Wait(t, looking, "the first look")
	f.Cancel()
	harness.WantCanceled(t, f)
	leak.Files(t, dir)
}

// Workers close their file before they answer, so that their downloads do not wait. A second look
// may be necessary where the worker was faster than this process, which sent it the file.
func TestNoWaitForHonestWorkers(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	content := s3test.PatternBytes(1, 300_000)
	origin.Put("b", "k", content)
	d := harness.NewDownloader(t, origin, harness.Multipart(1, 100_000))
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(harness.Patience); d.Stats().Workers < 2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) { // a process that is being started has copies of all descriptors
			t.Fatal("the workers do not start")
		}
	}
	var looks atomic.Int32
	harness.Fault(t, func(op, _ string) error {
		if op == "lease" {
			looks.Add(1)
		}
		return nil
	})
	var futures []*processpool.Future
	for i := range 200 {
		options := []func(*processpool.DownloadOptions){harness.Resume}
		futures = append(futures, d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, fmt.Sprint(i)), options[:i%2]...))
	}
	for _, f := range futures {
		if err := harness.Result(t, f); err != nil {
			t.Error(err)
		}
	}
	n := looks.Load()
	t.Logf("looked %d times at 200 files", n)
	if n < 200 || n > 300 {
		t.Errorf("looked %d times at 200 files", n)
	}
}
