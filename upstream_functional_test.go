package processpool_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

var content = []byte("my content")

func expect(size int64) func(*processpool.DownloadOptions) {
	return func(o *processpool.DownloadOptions) { o.ExpectedSize = aws.Int64(size) }
}

func TestF1DownloadFile(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	d := newDownloader(t, origin)

	if err := download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	wantContent(t, filepath.Join(dir, "file"), content)
	leak.Files(t, dir, "file")
	if heads, gets := len(requests(origin, "HEAD")), len(requests(origin, "GET")); heads != 1 || gets != 1 {
		t.Errorf("got %d HEAD and %d GET, want one of each", heads, gets)
	}
}

func TestF2DownloadMultipleFiles(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	origin.Put("b", "k2", []byte("my content2"))
	d := newDownloader(t, origin)

	first := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), expect(10))
	second := d.DownloadFile(t.Context(), "b", "k2", filepath.Join(dir, "file2"), expect(11))
	if err := errors.Join(result(t, first), result(t, second)); err != nil {
		t.Fatal(err)
	}
	wantContent(t, filepath.Join(dir, "file"), content)
	wantContent(t, filepath.Join(dir, "file2"), []byte("my content2"))
	leak.Files(t, dir, "file", "file2")
	if n := len(origin.Requests()); n != 2 {
		t.Errorf("got %d requests, want 2", n)
	}
}

func TestF3RangedDownload(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	d := newDownloader(t, origin, multipart(5, 5))

	if err := download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	wantContent(t, filepath.Join(dir, "file"), content)
	leak.Files(t, dir, "file")
	wantRanges(t, origin, "bytes=0-4", "bytes=5-9")
}

// wantRanges holds the Range headers of all GETs so far against want, in any order.
func wantRanges(t *testing.T, origin *s3test.Server, want ...string) {
	t.Helper()
	var got []string
	for _, r := range requests(origin, "GET") {
		got = append(got, r.Range)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("ranges: got %q, want %q", got, want)
	}
}

func TestF4ExtraArgs(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.SetVersioning("b", true)
	old := origin.Put("b", "k", content)
	origin.Put("b", "k", []byte("newer content"))
	d := newDownloader(t, origin)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
		o.ExtraArgs.VersionId = old.VersionID
	})
	if err := result(t, f); err != nil {
		t.Fatal(err)
	}
	wantContent(t, filepath.Join(dir, "file"), content)
	leak.Files(t, dir, "file")
	for _, r := range origin.Requests() {
		if r.Bucket != "b" || r.Key != "k" || r.VersionID != old.VersionID {
			t.Errorf("got %s %s/%s version %q, want b/k version %q", r.Method, r.Bucket, r.Key, r.VersionID, old.VersionID)
		}
	}
	if got := f.Object().VersionId; got != old.VersionID {
		t.Errorf("Object().VersionId: got %q, want %q", got, old.VersionID)
	}
}

func TestF5ExpectedSize(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	origin.Inject(s3test.Fault{Method: "HEAD", Status: 403})
	d := newDownloader(t, origin)

	if err := download(t, d, "k", filepath.Join(dir, "file"), expect(10)); err != nil {
		t.Fatal(err)
	}
	wantContent(t, filepath.Join(dir, "file"), content)
	leak.Files(t, dir, "file")
	wantRanges(t, origin, "")
}

func TestF6CleansUpTemporaryFileOnFailure(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Method: "GET", Gate: gate, Status: 404})
	d := newDownloader(t, origin)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	arrive(t, origin, 1, "GET")
	temporary(t, dir, "file") // it is there to be cleaned up
	close(gate)
	wantError(t, result(t, f))
	leak.Files(t, dir)
}

// F7: the allow-list of extra_args is the struct, and the compiler refuses others.
func TestF7ExtraArgsAreTheAllowList(t *testing.T) {
	want := []string{"ChecksumMode", "VersionId", "SSECustomerAlgorithm", "SSECustomerKey",
		"SSECustomerKeyMD5", "RequestPayer", "ExpectedBucketOwner"}
	var got []string
	for field := range reflect.TypeFor[processpool.ExtraArgs]().Fields() {
		got = append(got, field.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got fields %q, want %q", got, want)
	}
}

func TestF8ResultWithSuccess(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	d := newDownloader(t, origin)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	for range 3 {
		if err := result(t, f); err != nil {
			t.Errorf("got %v, want nil", err)
		}
	}
	leak.Files(t, dir, "file")
}

func TestF9ResultWithError(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	origin.Inject(s3test.Fault{Method: "GET", Status: 404})
	d := newDownloader(t, origin)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	for range 3 {
		var missing *types.NoSuchKey
		if err := result(t, f); !errors.As(err, &missing) {
			t.Errorf("got %v, want a *types.NoSuchKey", err)
		}
	}
	leak.Files(t, dir)
}

func TestF10ResultWithCancel(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	origin.Inject(s3test.Fault{Stall: true})
	d := newDownloader(t, origin)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	f.Cancel()
	wantError(t, result(t, f), processpool.ErrCanceled)
	leak.Files(t, dir)
}

func TestF11ShutdownWithNoDownloads(t *testing.T) {
	leak.Check(t)
	d := newDownloader(t, startOrigin(t))
	if err := d.Shutdown(); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

// F12: Ctrl-C in a with block is a panic past a deferred Shutdown here.
func TestF12ShutdownWithNoDownloadsAndPanic(t *testing.T) {
	leak.Check(t)
	d := newDownloader(t, startOrigin(t))
	defer func() {
		if got := recover(); got != "ctrl-c" {
			t.Errorf("got panic %v, want the one from inside", got)
		}
	}()
	func() {
		defer d.Shutdown()
		panic("ctrl-c")
	}()
}
