//go:build unix

package docs_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/processpooltest"
)

func TestFetch(t *testing.T) {
	server := processpooltest.NewServer(t)
	server.Put("mybucket", "mykey", []byte("content"))
	d, err := processpool.NewDownloader(server.Config(), func(c *processpool.Config) { c.MaxRequestProcesses = 2 })
	if err != nil {
		t.Fatal(err)
	}
	defer d.Shutdown()

	file := filepath.Join(t.TempDir(), "myfile")
	if err := d.DownloadFile(t.Context(), "mybucket", "mykey", file).Result(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); string(got) != "content" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestFault(t *testing.T) {
	server := processpooltest.NewServer(t)
	server.Put("mybucket", "mykey", []byte("content"))
	d, err := processpool.NewDownloader(server.Config(), func(c *processpool.Config) { c.MaxRequestProcesses = 2 })
	if err != nil {
		t.Fatal(err)
	}
	defer d.Shutdown()
	file := filepath.Join(t.TempDir(), "myfile")
	server.Inject(processpooltest.Fault{Operation: "GetObject", Flip: true, FlipAt: 3})
	err = d.DownloadFile(t.Context(), "mybucket", "mykey", file).Result()
	if !errors.Is(err, processpool.ErrChecksumMismatch) {
		t.Errorf("got %v, want %v", err, processpool.ErrChecksumMismatch)
	}
}

// report is code that takes a Future.
func report(f *processpool.Future) string {
	if err := f.Result(); err != nil {
		return f.Meta().Key + " failed"
	}
	return fmt.Sprintf("%s has %d bytes", f.Meta().Key, f.Object().Size)
}

func TestReport(t *testing.T) {
	meta := processpool.Meta{Bucket: "mybucket", Key: "mykey", Filename: "myfile"}
	f := processpooltest.Resolved(meta, processpool.Object{Size: 7}, nil)
	if got, want := report(f), "mykey has 7 bytes"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	err := &processpool.TransferError{
		Op: processpool.OpGet, Bucket: "mybucket", Key: "mykey", Filename: "myfile",
		Err: processpool.ErrStalled, // the error to test with
	}
	f = processpooltest.Resolved(meta, processpool.Object{}, err)
	if got, want := report(f), "mykey failed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Fetcher is what this program needs of a Downloader.
type Fetcher interface {
	Fetch(ctx context.Context, bucket, key, filename string) error
}

// PoolFetcher is the Fetcher for production.
type PoolFetcher struct{ *processpool.Downloader }

func (p PoolFetcher) Fetch(ctx context.Context, bucket, key, filename string) error {
	return p.DownloadFile(ctx, bucket, key, filename).Result()
}

// fakeFetcher is the Fetcher for unit tests.
type fakeFetcher map[string]string // content by key

func (f fakeFetcher) Fetch(ctx context.Context, bucket, key, filename string) error {
	content, ok := f[key]
	if !ok {
		return &processpool.TransferError{
			Op: processpool.OpGet, Bucket: bucket, Key: key, Filename: filename,
			Err: processpool.ErrObjectChanged, // the error to test with
		}
	}
	return os.WriteFile(filename, []byte(content), 0o666)
}

func TestFake(t *testing.T) {
	var fetcher Fetcher = fakeFetcher{"mykey": "content"}
	file := filepath.Join(t.TempDir(), "myfile")
	if err := fetcher.Fetch(t.Context(), "mybucket", "mykey", file); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); string(got) != "content" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if err := fetcher.Fetch(t.Context(), "mybucket", "nokey", file); !errors.Is(err, processpool.ErrObjectChanged) {
		t.Errorf("got %v, want %v", err, processpool.ErrObjectChanged)
	}
}

// newDownloader returns a Downloader for the S3 server at a URL, such as http://127.0.0.1:9000.
func newDownloader(t *testing.T, url string) *processpool.Downloader {
	t.Helper()
	cfg := aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(url),
		Credentials:  credentials.NewStaticCredentialsProvider("minioadmin", "minioadmin", ""),
	}
	d, err := processpool.NewDownloader(cfg, func(c *processpool.Config) {
		c.MaxRequestProcesses = 2
		c.ClientOptions = append(c.ClientOptions, func(o *s3.Options) { o.UsePathStyle = true })
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Shutdown() })
	return d
}

func TestDownload(t *testing.T) {
	origin := processpooltest.NewServer(t)
	origin.Put("mybucket", "mykey", []byte("content"))
	wantContent(t, newDownloader(t, origin.URL()), "mybucket", "mykey", "content")
}

func wantContent(t *testing.T, d *processpool.Downloader, bucket, key, want string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := (PoolFetcher{d}).Fetch(t.Context(), bucket, key, file); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); string(got) != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func workerOptions(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, smithyhttp.AddHeaderValue("X-Proxy-Token", "token"))
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		if err := processpool.ServeWorker(workerOptions); err != nil {
			log.Fatal(err)
		}
		return
	}
	os.Exit(m.Run())
}

func TestWorkerCommand(t *testing.T) {
	origin := processpooltest.NewServer(t)
	origin.Put("mybucket", "mykey", []byte("content"))
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d, err := processpool.NewDownloader(origin.Config(), func(c *processpool.Config) {
		c.MaxRequestProcesses = 1
		c.WorkerCommand = []string{executable, "worker"}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Shutdown() })
	wantContent(t, d, "mybucket", "mykey", "content")
	for _, r := range origin.Requests() {
		if got := r.Header.Get("X-Proxy-Token"); got != "token" {
			t.Errorf("%s: got token %q", r.Operation, got)
		}
	}
}
