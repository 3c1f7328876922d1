package faults_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func header(pairs ...string) map[string]string {
	h := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		h[pairs[i]] = pairs[i+1]
	}
	return h
}

// A HeadObject without Content-Length: a GetObject tells the size.
func TestHeadWithoutContentLength(t *testing.T) {
	for _, size := range []int64{0, 1, 10, 1000} {
		t.Run(fmt.Sprint("size=", size), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			data := s3test.PatternBytes(3, size)
			origin.Put("b", "k", data)
			origin.Inject(s3test.Fault{Method: "HEAD", Header: header("Content-Length", "")})
			d := harness.NewDownloader(t, origin, harness.Multipart(100, 100))
			if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
				t.Error(err)
			}
			harness.WantContent(t, filepath.Join(dir, "file"), data)
			leak.Files(t, dir, "file")
		})
	}
}

// A server without ranges, whose answer breaks off: the object is fetched from its beginning again.
func TestNoRangesAndABreak(t *testing.T) {
	for _, verify := range []processpool.VerifyMode{processpool.VerifyAuto, processpool.VerifyOff} {
		t.Run(fmt.Sprint("verify=", verify), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			data := s3test.PatternBytes(4, 3*harness.MiB)
			origin.Put("b", "k", data)
			cut := origin.Inject(s3test.Fault{Method: "GET", IgnoreRange: true, Cut: true, CutAfter: 2 * harness.MiB, Times: 2})
			origin.Inject(s3test.Fault{Method: "GET", IgnoreRange: true})
			d := harness.NewDownloader(t, origin, harness.Verify(verify))
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
			if err := harness.Result(t, f); err != nil || cut.Hits() != 2 {
				t.Errorf("got %v after %d breaks", err, cut.Hits())
			}
			if p := f.Progress(); p.BytesDone != 3*harness.MiB {
				t.Errorf("got %+v", p)
			}
			harness.WantContent(t, filepath.Join(dir, "file"), data)
			leak.Files(t, dir, "file")
		})
	}
}

// A server that answers each Range of a larger object with all of it: the error says so.
func TestNoRangesOfALargeObject(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Method: "GET", IgnoreRange: true})
	d := harness.NewDownloader(t, origin, harness.Multipart(2, 2), harness.Quickly)
	err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
	harness.WantError(t, err, processpool.ErrRetriesExceeded)
	if !strings.Contains(err.Error(), "the server ignores Range") {
		t.Errorf("got %q", err)
	}
	leak.Files(t, dir)
}

// Some servers answer a request for a version as if none had been asked for.
func TestAnotherVersion(t *testing.T) {
	for _, method := range []string{"HEAD", "GET"} {
		t.Run(method, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.SetVersioning("b", true)
			old := origin.Put("b", "k", harness.Content)
			origin.Put("b", "k", harness.Content)
			origin.Inject(s3test.Fault{Method: method, Header: header("X-Amz-Version-Id", "another")})
			d := harness.NewDownloader(t, origin, harness.Quickly)
			err := harness.Download(t, d, "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
				o.ExtraArgs.VersionId = old.VersionID
			})
			harness.WantError(t, err, processpool.ErrRetriesExceeded)
			if !strings.Contains(err.Error(), `got version "another"`) {
				t.Errorf("got %q", err)
			}
			leak.Files(t, dir)
		})
	}
}

// The ETag of a directory bucket looks like an MD5, and is none.
func TestDirectoryBucketETag(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	const bucket = "b--usw2-az1--x-s3"
	origin.Put(bucket, "k", harness.Content, s3test.WithChecksum("", ""), func(o *s3test.Object) {
		o.ETag = `"0123456789abcdef0123456789abcdef"`
	})
	d := harness.NewDownloader(t, origin, func(c *processpool.Config) {
		c.ClientOptions = append(c.ClientOptions, func(o *s3.Options) { o.DisableS3ExpressSessionAuth = aws.Bool(true) })
	})
	f := d.DownloadFile(t.Context(), bucket, "k", filepath.Join(dir, "file"))
	if err := harness.Result(t, f); err != nil || f.Object().Verified != "" {
		t.Errorf("got %v and Verified %q, want neither", err, f.Object().Verified)
	}
	leak.Files(t, dir, "file")
}

// A checksum without a type and without "-N" may be one of the parts' checksums.
func TestChecksumWithoutType(t *testing.T) {
	wrong := header("X-Amz-Checksum-Crc32", "AAAAAA==", "X-Amz-Checksum-Type", "")
	for name, c := range map[string]struct {
		fault  s3test.Fault
		expect bool
	}{
		"covering Range": {s3test.Fault{Method: "GET", Header: wrong}, true},
		"HeadObject":     {s3test.Fault{Header: wrong}, false},
	} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content, s3test.WithChecksum("", ""), func(o *s3test.Object) {
				o.ETag = `"not-an-md5"`
			})
			origin.Inject(c.fault)
			d := harness.NewDownloader(t, origin, harness.Multipart(5, 100))
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
				if c.expect {
					o.ExpectedSize = aws.Int64(int64(len(harness.Content)))
				}
			})
			if err := harness.Result(t, f); err != nil || f.Object().Verified != "" {
				t.Errorf("got %v and Verified %q, want neither", err, f.Object().Verified)
			}
			leak.Files(t, dir, "file")
		})
	}
}

// A redirect is not followed, and the error says where it leads.
func TestRedirectIsNamed(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	const want = "the server redirects to https://other.example/b/k"
	d := harness.NewDownloader(t, origin, harness.Quickly)
	for _, status := range []int{301, 307, 308} {
		origin.ClearFaults()
		origin.Inject(s3test.Fault{Status: status, Header: header("Location", "https://other.example/b/k")})
		for name, result := range map[string]func() error{
			"head": func() error { return harness.Download(t, d, "k", filepath.Join(dir, "file")) },
			"get":  func() error { return harness.Download(t, d, "k", filepath.Join(dir, "file"), harness.Expect(10)) },
			"list": func() error { return harness.Directory(t, d, "", dir).Result() },
		} {
			if err := result(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, status=%d: got %v, want it with %q", name, status, err, want)
			}
		}
	}
	leak.Files(t, dir)
}

// An object of parts that has a full-object CRC takes one request.
func TestSmallObjectsOfParts(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	for _, key := range []string{"1", "2", "3"} {
		origin.Put("b", key, harness.Content, s3test.WithParts(5, 5), s3test.WithChecksum("crc64nvme", "FULL_OBJECT"))
	}
	d := harness.NewDownloader(t, origin)
	if err := harness.Directory(t, d, "", dir).Result(); err != nil {
		t.Fatal(err)
	}
	if n := len(origin.Requests()); n != 4 {
		t.Errorf("got %d requests, want one page and three objects", n)
	}
	f := d.DownloadFile(t.Context(), "b", "1", filepath.Join(dir, "file"), harness.SkipHead)
	if err := harness.Result(t, f); err != nil || f.Object().Verified != "CRC64NVME full object" {
		t.Errorf("got %v and Verified %q", err, f.Object().Verified)
	}
	if n := len(origin.Requests()); n != 5 {
		t.Errorf("got %d requests, want one more", n)
	}
}
