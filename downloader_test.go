package processpool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/tail"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// patience is how long a test waits for what must happen. It measures no speed:
// only a hang takes that long.
const patience = 30 * time.Second

// programs are what the test binary is when its first argument is one of these
// names: an application of its own, or a Config.WorkerCommand.
var programs = map[string]func(args []string) error{}

func TestMain(m *testing.M) {
	for _, entry := range os.Environ() { // this machine's settings are not the tests'
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") {
			os.Unsetenv(name)
		}
	}
	if len(os.Args) > 1 && programs[os.Args[1]] != nil {
		if err := programs[os.Args[1]](os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	tail.SetLeast(time.Hour) // no range is slow but where a test says so
	os.Exit(m.Run())
}

func startOrigin(t *testing.T, optFns ...func(*s3test.Options)) *s3test.Server {
	t.Helper()
	if !ipc.Available {
		t.Skip("no worker processes on this platform")
	}
	origin := s3test.Start(optFns...)
	t.Cleanup(origin.Close)
	return origin
}

// newDownloader makes one of two workers that is shut down at the test's end.
func newDownloader(t *testing.T, origin *s3test.Server, optFns ...func(*processpool.Config)) *processpool.Downloader {
	t.Helper()
	return newDownloaderOf(t, origin, origin.Config(), optFns...)
}

func newDownloaderOf(t *testing.T, origin *s3test.Server, cfg aws.Config, optFns ...func(*processpool.Config)) *processpool.Downloader {
	t.Helper()
	few := func(c *processpool.Config) {
		c.MaxRequestProcesses = 2
		c.ClientOptions = append(c.ClientOptions, origin.ClientOptions())
	}
	d, err := processpool.NewDownloader(cfg, append([]func(*processpool.Config){few}, optFns...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			origin.Close() // or a request that hangs would hold up Shutdown
		}
		shutdown(t, d)
	})
	return d
}

// multipart sets the threshold and the size of a range, in bytes.
func multipart(threshold, chunksize int64) func(*processpool.Config) {
	return func(c *processpool.Config) { c.MultipartThreshold, c.MultipartChunksize = threshold, chunksize }
}

func processes(n int) func(*processpool.Config) {
	return func(c *processpool.Config) { c.MaxRequestProcesses = n }
}

// download downloads b/key, and returns the result.
func download(t *testing.T, d *processpool.Downloader, key, filename string, optFns ...func(*processpool.DownloadOptions)) error {
	t.Helper()
	return result(t, d.DownloadFile(t.Context(), "b", key, filename, optFns...))
}

// result is f.Result, but ends the test where that hangs.
func result(t *testing.T, f *processpool.Future) error {
	t.Helper()
	wait(t, f.Done(), "a result of "+f.Meta().Key)
	return f.Result()
}

func shutdown(t *testing.T, d *processpool.Downloader) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := d.Shutdown(); err != nil {
			t.Errorf("Shutdown: got %v, want nil", err)
		}
	}()
	wait(t, ended, "the end of Shutdown")
}

// wait waits for c, or ends the test.
func wait[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("still waiting for %s after %v", what, patience)
		panic("not reached")
	}
}

// arrive waits until n requests with this method ("" = any) have reached the origin.
func arrive(t *testing.T, origin *s3test.Server, n int, method string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	match := func(r s3test.Request) bool { return method == "" || r.Method == method }
	if err := origin.WaitRequests(ctx, n, match); err != nil {
		t.Fatalf("waiting for %d %s requests: %v; got %d requests", n, method, err, len(origin.Requests()))
	}
}

// requests returns the requests so far with this method.
func requests(origin *s3test.Server, method string) []s3test.Request {
	var got []s3test.Request
	for _, r := range origin.Requests() {
		if r.Method == method {
			got = append(got, r)
		}
	}
	return got
}

func wantContent(t *testing.T, filename string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(filename)
	if err != nil {
		t.Error(err)
		return
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got %d bytes that are not the %d of the object", filepath.Base(filename), len(got), len(want))
	}
}

// wantError fails the test unless err is a TransferError that is all of want.
func wantError(t *testing.T, err error, want ...error) {
	t.Helper()
	var transfer *processpool.TransferError
	if !errors.As(err, &transfer) {
		t.Fatalf("got error %v (%T), want a *TransferError", err, err)
	}
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("got error %q, want one that is %q", err, w)
		}
	}
}

// temporary returns the only file of dir with a temporary name for base.
func temporary(t *testing.T, dir, base string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, base+".????????"))
	if err != nil || len(names) != 1 {
		t.Fatalf("temporary files of %s: got %q, %v, want one", base, names, err)
	}
	return names[0]
}

func TestDownloadFile(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	want := s3test.PatternBytes(1, 20<<20+1)
	origin.Put("b", "k", want)
	dir := t.TempDir()
	d := newDownloader(t, origin)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	if err := result(t, f); err != nil {
		t.Fatal(err)
	}
	wantContent(t, filepath.Join(dir, "file"), want)
	leak.Files(t, dir, "file")
	got := f.Object()
	if got.Size != int64(len(want)) || got.ETag == "" || got.LastModified.IsZero() || got.Verified == "" {
		t.Errorf("got object %+v, want its size, ETag, time and proof", got)
	}
}
