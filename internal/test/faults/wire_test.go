package faults_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/pool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func init() {
	harness.Register("worker-that-panics", func([]string) error { panic("out of luck" + strings.Repeat("!", 10_000)) })
	harness.Register("worker-that-hangs", func(args []string) error {
		f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		if _, err := f.WriteString("."); err != nil {
			return err
		}
		select {}
	})
}

// Some servers send all keys of a bucket in one page. A page of 25,000 long names, 23 MiB, is more
// than one message to the pool can hold.
func TestFaultListingInOnePage(t *testing.T) {
	leak.Check(t)
	const keys = 25_000
	origin, dir := harness.StartOrigin(t, harness.Pages(keys)), t.TempDir()
	name := strings.Repeat(strings.Repeat("n", 240)+"/", 4) + "n"
	key := func(i int) string { return fmt.Sprintf("%05d/%s", i, name) }
	for i := range keys {
		origin.Put("b", key(i), []byte("x"))
	}
	d := harness.NewDownloader(t, origin, harness.Processes(1))
	seen := 0
	got := harness.Directory(t, d, "", dir, func(o *processpool.DirectoryOptions) {
		o.Filter = func(e processpool.ObjectInfo) bool {
			if e.Key != key(seen) {
				t.Errorf("got key %.20q at %d, want %.20q", e.Key, seen, key(seen))
			}
			seen++
			return seen == 1 || seen == keys
		}
	})
	if err := got.Result(); err != nil || seen != keys {
		t.Errorf("got %d keys, %v, want %d", seen, err, keys)
	}
	pages := 0
	for _, r := range origin.Requests() {
		if harness.IsList(r) {
			pages++
		}
	}
	if pages != 1 {
		t.Errorf("got %d pages, want one: the test does not test", pages)
	}
	want := []string{key(0), key(keys - 1)}
	for _, file := range want {
		for i, c := range file {
			if c == '/' {
				want = append(want, file[:i+1])
			}
		}
	}
	harness.WantTree(t, dir, want...)
}

// An error of S3 may be of any length. It ends the download. Its beginning is shown, unless it is so
// long that it is not read to its end.
func TestFaultHugeError(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", harness.Content)
	var log harness.Log
	d := harness.NewDownloader(t, origin, harness.Quickly, log.Config)
	for _, status := range []int{403, 500} {
		for _, length := range []int{200 << 10, 3 * harness.MiB} {
			origin.ClearFaults()
			origin.Inject(s3test.Fault{Method: "GET", Status: status, Message: "it begins" + strings.Repeat("<>", length/2)})
			dir := t.TempDir()
			for name, err := range map[string]error{
				"get":  harness.Download(t, d, "k", filepath.Join(dir, "file")),
				"list": harness.Directory(t, d, "", dir).Result(),
			} {
				if err == nil || len(err.Error()) > 10<<10 || !isStatus(status)(err) {
					t.Errorf("%s, %d bytes: got %.200v, want an error of status %d", name, length, err, status)
				}
				var api smithy.APIError
				if length < harness.MiB && (!errors.As(err, &api) || !strings.HasPrefix(api.ErrorMessage(), "it begins") ||
					!strings.Contains(err.Error(), "bytes in all")) {
					t.Errorf("%s: got %.200v, want its beginning", name, err)
				}
			}
			leak.Files(t, dir)
		}
	}
	origin.ClearFaults()
	harness.WantNext(t, origin, d)
	if n := len(log.Records(t, "worker lost")); n != 0 {
		t.Errorf("got %d workers lost, want none", n)
	}
}

// What cannot be sent to the pool, or to a worker, ends its download with an error that says so. It
// costs no worker.
func TestFaultUnsendable(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", harness.Content)
	var log harness.Log
	harness.Hurry(t, 1000)
	d := harness.NewDownloader(t, origin, harness.Multipart(4, 4), harness.Quickly, log.Config)
	// The headers of an answer have a limit of their own, below that of a message.
	header := map[string]string{"ETag": `"` + strings.Repeat("<", 3*harness.MiB) + `"`}
	const limited = "server response headers exceeded"
	for _, c := range []struct {
		name, bucket, key string
		fault             *s3test.Fault
		option            func(*processpool.DownloadOptions)
		want              string
	}{
		{"HEAD", "b", "k", &s3test.Fault{Header: header}, func(*processpool.DownloadOptions) {}, limited},
		{"first answer", "b", "k", &s3test.Fault{Header: header}, harness.Expect(int64(len(harness.Content))), limited},
		{"key", "b", strings.Repeat("k", 17*harness.MiB), nil, func(*processpool.DownloadOptions) {}, "cannot send Job of HeadObject: "},
		{"bucket", strings.Repeat("b", 17*harness.MiB), "k", nil, func(*processpool.DownloadOptions) {}, "cannot send Job of HeadObject: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.fault != nil {
				origin.Inject(*c.fault)
			}
			dir := t.TempDir()
			err := harness.Result(t, d.DownloadFile(t.Context(), c.bucket, c.key, filepath.Join(dir, "file"), c.option))
			harness.WantError(t, err)
			var transfer *processpool.TransferError
			if errors.As(err, &transfer); !strings.Contains(transfer.Err.Error(), c.want) {
				t.Errorf("got %.200v, want %q", transfer.Err, c.want)
			}
			leak.Files(t, dir)
			harness.WantNext(t, origin, d)
		})
	}
	if n := len(log.Records(t, "worker lost")); n != 0 {
		t.Errorf("got %d workers lost, want none", n)
	}
}

// Credentials that are too large for a worker are an error of each download.
func TestFaultHugeCredentials(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	cfg := origin.Config()
	cfg.Credentials = &harness.Provider{Give: func(int32) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "A", SecretAccessKey: "s", SessionToken: strings.Repeat("t", 17*harness.MiB)}, nil
	}}
	var log harness.Log
	d := harness.NewDownloaderOf(t, origin, cfg, log.Config)
	for range 2 {
		err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
		harness.WantError(t, err)
		if !strings.Contains(err.Error(), "cannot send Credentials: ") {
			t.Errorf("got %v, want the reason", err)
		}
	}
	if n := len(log.Records(t, "worker lost")); n != 0 {
		t.Errorf("got %d workers lost, want none", n)
	}
	leak.Files(t, dir)
}

// Settings that are too large for a worker are an error of NewDownloader.
func TestFaultHugeSettings(t *testing.T) {
	cfg := harness.StartOrigin(t).Config()
	cfg.AppID = strings.Repeat("a", 17*harness.MiB)
	_, err := processpool.NewDownloader(cfg)
	if err == nil || !strings.Contains(err.Error(), "the settings for workers: cannot send Setup: ") {
		t.Errorf("got %.200v, want an error of the settings", err)
	}
}

// A worker that hangs at its start is waited for once.
func TestFaultHangAtStart(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	starts := filepath.Join(t.TempDir(), "starts")
	harness.Pool(t, pool.Options{StartTimeout: 300 * time.Millisecond})
	d := harness.NewDownloader(t, origin, harness.Processes(2), func(c *processpool.Config) {
		c.WorkerCommand = []string{os.Args[0], "worker-that-hangs", starts}
	})
	err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
	harness.WantError(t, err, processpool.ErrWorkerLost)
	for _, words := range []string{os.Args[0] + ": no hello within 300ms", "signal: killed"} {
		if strings.Count(err.Error(), words) != 1 {
			t.Errorf("got %v, want %q once", err, words)
		}
	}
	if data, err := os.ReadFile(starts); err != nil && !errors.Is(err, fs.ErrNotExist) || len(data) > 2 {
		t.Errorf("got %d starts, %v, want one of each seat", len(data), err)
	}
	leak.Files(t, dir)
}

// The error of a worker that panics begins with the panic.
func TestFaultPanic(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	d := harness.NewDownloader(t, origin, func(c *processpool.Config) {
		c.WorkerCommand = []string{os.Args[0], "worker-that-panics"}
	})
	err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
	harness.WantError(t, err, processpool.ErrWorkerLost)
	for _, words := range []string{"it crashed: panic: out of luck!!!", "goroutine 1 [", os.Args[0] + ": no hello"} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("got %v, want %q in it", err, words)
		}
	}
	if n := len(err.Error()); n > 2000 {
		t.Errorf("got %d bytes: %v", n, err)
	}
	leak.Files(t, dir)
}
