package upstream_test

import (
	"crypto/md5"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// U34: an object of one byte takes one GET without a Range, into a file of its size.
func TestPlanOneByte(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", []byte("x"))
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Method: "GET", Gate: gate})
	d := harness.NewDownloader(t, origin)

	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	harness.Arrive(t, origin, 1, "GET")
	info, err := os.Stat(harness.Temporary(t, dir, "file"))
	if err != nil || info.Size() != 1 {
		t.Errorf("temporary file: got %v, %v, want 1 byte", info, err)
	}
	close(gate)
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	harness.WantRanges(t, origin, "")
	harness.WantContent(t, filepath.Join(dir, "file"), []byte("x"))
	leak.Files(t, dir, "file")
}

// U35: an object as large as the threshold is split. The last range is closed, where that of
// upstream is open.
func TestPlanRanges(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", []byte("abcd"))
	d := harness.NewDownloader(t, origin, harness.Multipart(4, 2))

	if err := harness.Download(t, d, "k", filepath.Join(dir, "file"), harness.Expect(4)); err != nil {
		t.Fatal(err)
	}
	harness.WantRanges(t, origin, "bytes=0-1", "bytes=2-3")
	harness.WantContent(t, filepath.Join(dir, "file"), []byte("abcd"))
	leak.Files(t, dir, "file")
}

// U36: without ExpectedSize a HeadObject comes first. It contains nothing but the bucket and the
// key.
func TestPlanAsksForTheSize(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Verify(processpool.VerifyOff))

	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	leak.Files(t, dir, "file")
	all := origin.Requests()
	if len(all) != 2 || all[0].Method != "HEAD" || all[1].Method != "GET" {
		t.Fatalf("got %v, want a HEAD and a GET", all)
	}
	head := all[0]
	if head.Bucket != "b" || head.Key != "k" || len(head.Query) > 0 || head.Range != "" || head.IfMatch != "" {
		t.Errorf("got %+v, want b/k and nothing else", head)
	}
	for name := range head.Header {
		if strings.HasPrefix(name, "X-Amz-") && name != "X-Amz-Date" && name != "X-Amz-Content-Sha256" {
			t.Errorf("got header %s: %s", name, head.Header.Get(name))
		}
	}
}

// U37, U43: HeadObject and every GetObject contain the ExtraArgs.
func TestPlanExtraArgs(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.SetVersioning("b", true)
	key := []byte("a customer's key has 32 bytes ..")
	sum := md5.Sum(key)
	encode := base64.StdEncoding.EncodeToString
	o := origin.Put("b", "k", harness.Content, s3test.WithSSEC(encode(key)))
	d := harness.NewDownloader(t, origin, harness.Multipart(5, 5), harness.Verify(processpool.VerifyOff))

	err := harness.Download(t, d, "k", filepath.Join(dir, "file"), func(o2 *processpool.DownloadOptions) {
		o2.ExtraArgs = processpool.ExtraArgs{
			ChecksumMode:         types.ChecksumModeEnabled,
			VersionId:            o.VersionID,
			SSECustomerAlgorithm: "AES256",
			SSECustomerKey:       encode(key),
			SSECustomerKeyMD5:    encode(sum[:]),
			RequestPayer:         types.RequestPayerRequester,
			ExpectedBucketOwner:  s3test.DefaultOwner,
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
	leak.Files(t, dir, "file")
	all := origin.Requests()
	if len(all) != 3 {
		t.Errorf("got %d requests, want 3", len(all))
	}
	const ssec = "X-Amz-Server-Side-Encryption-Customer-"
	for _, r := range all {
		got := []string{r.VersionID}
		for _, name := range []string{"X-Amz-Checksum-Mode", ssec + "Algorithm", ssec + "Key", ssec + "Key-Md5", "X-Amz-Request-Payer", "X-Amz-Expected-Bucket-Owner"} {
			got = append(got, r.Header.Get(name))
		}
		want := []string{o.VersionID, "ENABLED", "AES256", encode(key), encode(sum[:]), "requester", s3test.DefaultOwner}
		if !slices.Equal(got, want) {
			t.Errorf("%s %s: got %q, want %q", r.Method, r.Range, got, want)
		}
	}
}

// U38: a HeadObject that fails is the result. A GetObject of a byte asks for the reason, and nothing
// else is requested.
func TestPlanHeadFails(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.CreateBucket("b")
	d := harness.NewDownloader(t, origin)

	err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
	var missing *types.NotFound
	if !errors.As(err, &missing) {
		t.Errorf("got %v, want a *types.NotFound", err)
	}
	if all := origin.Requests(); len(all) != 2 || all[0].Method != "HEAD" || all[1].Range != "bytes=0-0" {
		t.Errorf("got %d requests, want the HEAD and one for a byte", len(all))
	}
	leak.Files(t, dir)
}

// U39: a failure to allocate space is the result, before any GET. Utils: the incomplete file is
// removed.
func TestPlanAllocateFails(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	harness.Fault(t, func(op, _ string) error {
		if op == "fallocate" || op == "truncate" {
			return syscall.ENOSPC
		}
		return nil
	})

	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), syscall.ENOSPC)
	if n := len(harness.Requests(origin, "GET")); n != 0 {
		t.Errorf("got %d GETs, want none", n)
	}
	leak.Files(t, dir)
}
