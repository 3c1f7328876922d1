package e2e_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func TestDirectoryFailures(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	for i := range 30 {
		origin.Put("b", fmt.Sprintf("%02d", i), harness.Content)
	}
	origin.Inject(s3test.Fault{Match: func(r s3test.Request) bool { return isGet(r) && r.Key < "12" }, Status: 403})
	d := harness.NewDownloader(t, origin)
	all := harness.Directory(t, d, "", dir)
	err := harness.WantDirectoryError(t, all.Result(), 12)
	var api smithy.APIError
	if !errors.As(err, &api) || err.Err != nil || len(err.Failures) != 10 || err.Listed != 30 {
		t.Errorf("got %v, %d failures, %d listed", err.Err, len(err.Failures), err.Listed)
	}
	if p := all.Progress(); p.Done != 18 || p.Failed != 12 || p.BytesDone != 180 || p.BytesTotal != 300 {
		t.Errorf("got %+v", p)
	}
}

// With StopOnError the first failure cancels all downloads in progress, and no further one starts.
func TestDirectoryStopOnError(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t, harness.Pages(10)), t.TempDir()
	for i := range 200 {
		origin.Put("b", fmt.Sprintf("%03d", i), harness.Content)
	}
	origin.Inject(s3test.Fault{Key: "001", Status: 403})
	origin.Inject(s3test.Fault{Match: isGet, Stall: true, Gate: make(chan struct{})})
	d := harness.NewDownloader(t, origin)
	all := harness.Directory(t, d, "", dir, func(o *processpool.DirectoryOptions) { o.StopOnError = true })
	err := harness.WantDirectoryError(t, all.Result(), 1)
	if err.Err != nil || errors.Is(err, processpool.ErrCanceled) || err.Failures[0].Key != "001" {
		t.Errorf("got %v, want the failure of 001 alone", err)
	}
	p := all.Progress()
	if p.Failed != 1 || p.Done != 0 || p.Canceled == 0 || p.Complete {
		t.Errorf("got %+v", p)
	}
	harness.WantTree(t, dir)
}

func TestDirectoryListingFails(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t, harness.Pages(1)), t.TempDir()
	origin.Put("b", "k1", harness.Content)
	origin.Put("b", "k2", harness.Content)
	d := harness.NewDownloader(t, origin)

	all := d.DownloadDirectory(t.Context(), "missing", "p/", filepath.Join(dir, "new"))
	harness.Wait(t, all.Done(), "the end of the directory")
	err := harness.WantDirectoryError(t, all.Result(), 0)
	var transfer *processpool.TransferError
	var noBucket *types.NoSuchBucket
	if !errors.As(err, &transfer) || transfer.Op != "list" || !errors.As(err, &noBucket) {
		t.Errorf("got %v, want NoSuchBucket of the listing", err)
	}
	leak.Files(t, dir)

	// The second page is refused. The objects of the first page are downloaded.
	origin.Inject(s3test.Fault{Match: func(r s3test.Request) bool { return harness.IsList(r) && r.Query.Has("continuation-token") }, Status: 403})
	all = harness.Directory(t, d, "", dir)
	err = harness.WantDirectoryError(t, all.Result(), 0)
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "AccessDenied" || all.Progress().Complete {
		t.Errorf("got %v, %+v, want AccessDenied", err, all.Progress())
	}
	harness.WantTree(t, dir, "k1")
}

// Listings are retried like other requests.
func TestDirectoryListingIsRetried(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, func(c *processpool.Config) { c.MaxAttempts = 3 })
	origin.Inject(s3test.Fault{Match: harness.IsList, Status: 500, Times: 1})
	origin.Inject(s3test.Fault{Match: harness.IsList, Cut: true, CutAfter: 20, Times: 1})
	if err := harness.Directory(t, d, "", dir).Result(); err != nil {
		t.Error(err)
	}
	harness.WantTree(t, dir, "k")
	origin.Inject(s3test.Fault{Match: harness.IsList, Status: 500})
	harness.WantDirectoryError(t, harness.Directory(t, d, "", dir).Result(), 0, processpool.ErrRetriesExceeded)
}

// The arguments apply to the listing and to its downloads.
func TestDirectoryArguments(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	owner := func(id string) func(*processpool.DirectoryOptions) {
		return func(o *processpool.DirectoryOptions) {
			o.Options = append(o.Options, func(o *processpool.DownloadOptions) {
				o.ExtraArgs.ExpectedBucketOwner, o.ExtraArgs.RequestPayer = id, types.RequestPayerRequester
			})
		}
	}
	if err := harness.Directory(t, d, "", dir, owner(s3test.DefaultOwner)).Result(); err != nil {
		t.Error(err)
	}
	for _, r := range origin.Requests() {
		if r.Header.Get("X-Amz-Request-Payer") != "requester" {
			t.Errorf("%s %s: got no X-Amz-Request-Payer", r.Method, r.Key)
		}
	}
	if err := harness.Directory(t, d, "", dir, owner("999999999999")).Result(); err == nil {
		t.Error("another owner: got no error")
	}
	origin.ResetRequests()

	file := filepath.Join(dir, "k")
	size := int64(1)
	for _, c := range []struct {
		bucket, prefix, dir string
		options             processpool.DownloadOptions
		want                string
	}{
		{"", "", dir, processpool.DownloadOptions{}, "no bucket"},
		{"b", "", "", processpool.DownloadOptions{}, "no directory"},
		{"b", "", "a\x00", processpool.DownloadOptions{}, "NUL"},
		{"b", "\xff", dir, processpool.DownloadOptions{}, "prefix"},
		{"b", "", dir, processpool.DownloadOptions{ExpectedSize: &size}, "ExpectedSize"},
		{"b", "", dir, processpool.DownloadOptions{ExtraArgs: processpool.ExtraArgs{VersionId: "v"}}, "VersionId"},
		{"b", "", dir, processpool.DownloadOptions{ExtraArgs: processpool.ExtraArgs{ChecksumMode: "x"}}, "ChecksumMode"},
		{"b", "", file, processpool.DownloadOptions{}, "not a directory"},
		{"b", "", filepath.Join(file, "below"), processpool.DownloadOptions{}, "not a directory"},
	} {
		all := d.DownloadDirectory(t.Context(), c.bucket, c.prefix, c.dir, func(o *processpool.DirectoryOptions) {
			o.Options = append(o.Options, func(o *processpool.DownloadOptions) { *o = c.options })
		})
		harness.Wait(t, all.Done(), "the end of the directory")
		if err := harness.WantDirectoryError(t, all.Result(), 0); !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %q, want it to name %q", err, c.want)
		}
	}
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
}
