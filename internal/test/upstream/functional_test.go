package upstream_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func TestF1DownloadFile(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)

	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
	leak.Files(t, dir, "file")
	if heads, gets := len(harness.Requests(origin, "HEAD")), len(harness.Requests(origin, "GET")); heads != 1 || gets != 1 {
		t.Errorf("got %d HEAD and %d GET, want one of each", heads, gets)
	}
}

func TestF2DownloadMultipleFiles(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Put("b", "k2", []byte("my content2"))
	d := harness.NewDownloader(t, origin)

	first := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), harness.Expect(10))
	second := d.DownloadFile(t.Context(), "b", "k2", filepath.Join(dir, "file2"), harness.Expect(11))
	if err := errors.Join(harness.Result(t, first), harness.Result(t, second)); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
	harness.WantContent(t, filepath.Join(dir, "file2"), []byte("my content2"))
	leak.Files(t, dir, "file", "file2")
	if n := len(origin.Requests()); n != 2 {
		t.Errorf("got %d requests, want 2", n)
	}
}

func TestF3RangedDownload(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Multipart(5, 5))

	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
	leak.Files(t, dir, "file")
	harness.WantRanges(t, origin, "bytes=0-4", "bytes=5-9")
}

func TestF4ExtraArgs(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.SetVersioning("b", true)
	old := origin.Put("b", "k", harness.Content)
	origin.Put("b", "k", []byte("newer content"))
	d := harness.NewDownloader(t, origin)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
		o.ExtraArgs.VersionId = old.VersionID
	})
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
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
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Method: "HEAD", Status: 403})
	d := harness.NewDownloader(t, origin)

	if err := harness.Download(t, d, "k", filepath.Join(dir, "file"), harness.Expect(10)); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
	leak.Files(t, dir, "file")
	harness.WantRanges(t, origin, "")
}

func TestF6CleansUpTemporaryFileOnFailure(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Method: "GET", Gate: gate, Status: 404})
	d := harness.NewDownloader(t, origin)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	harness.Arrive(t, origin, 1, "GET")
	harness.Temporary(t, dir, "file") // the temporary file exists before the failure
	close(gate)
	harness.WantError(t, harness.Result(t, f))
	leak.Files(t, dir)
}

// F7: the allow-list of extra_args is the struct. The compiler refuses others.
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
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	for range 3 {
		if err := harness.Result(t, f); err != nil {
			t.Errorf("got %v, want nil", err)
		}
	}
	leak.Files(t, dir, "file")
}

func TestF9ResultWithError(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Method: "GET", Status: 404})
	d := harness.NewDownloader(t, origin)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	for range 3 {
		var missing *types.NoSuchKey
		if err := harness.Result(t, f); !errors.As(err, &missing) {
			t.Errorf("got %v, want a *types.NoSuchKey", err)
		}
	}
	leak.Files(t, dir)
}

func TestF10ResultWithCancel(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Stall: true})
	d := harness.NewDownloader(t, origin)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	f.Cancel()
	harness.WantError(t, harness.Result(t, f), processpool.ErrCanceled)
	leak.Files(t, dir)
}

func TestF11ShutdownWithNoDownloads(t *testing.T) {
	leak.Check(t)
	d := harness.NewDownloader(t, harness.StartOrigin(t))
	if err := d.Shutdown(); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

// F12: Ctrl-C in a Python with block corresponds to a panic with a deferred Shutdown.
func TestF12ShutdownWithNoDownloadsAndPanic(t *testing.T) {
	leak.Check(t)
	d := harness.NewDownloader(t, harness.StartOrigin(t))
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
