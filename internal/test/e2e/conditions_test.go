package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// ways are the ways in which a download learns what the object is.
var ways = map[string][]func(*processpool.DownloadOptions){
	"HeadObject":   nil,
	"SkipHead":     {harness.SkipHead},
	"ExpectedSize": {harness.Expect(int64(len(harness.Content)))},
	"Resume":       {harness.Resume},
}

// A condition holds whichever request asks first, with and without quotes, and on a server that
// ignores it. What does not hold leaves the destination as it is.
func TestConditions(t *testing.T) {
	for name, way := range ways {
		for _, ignored := range []bool{false, true} {
			if ignored {
				name += ", ignored"
			}
			t.Run(name, func(t *testing.T) {
				leak.Check(t)
				origin, dir := harness.StartOrigin(t), t.TempDir()
				etag := origin.Put("b", "k", harness.Content).ETag
				if ignored {
					origin.Inject(s3test.Fault{IgnoreIfMatch: true})
				}
				d := harness.NewDownloader(t, origin, harness.Multipart(5, 5))
				file := filepath.Join(dir, "file")
				get := func(set func(*processpool.DownloadOptions)) error {
					if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
						t.Fatal(err)
					}
					return harness.Download(t, d, "k", file, append(way[:len(way):len(way)], set)...)
				}
				bare := strings.Trim(etag, `"`)
				for _, tag := range []string{etag, bare} {
					if err := get(func(o *processpool.DownloadOptions) { o.IfMatch = tag }); err != nil {
						t.Errorf("IfMatch %s: got %v, want nil", tag, err)
					}
					harness.WantContent(t, file, harness.Content)
					harness.WantError(t, get(func(o *processpool.DownloadOptions) { o.IfNoneMatch = tag }), processpool.ErrNotModified)
					harness.WantContent(t, file, []byte("old"))
				}
				harness.WantError(t, get(func(o *processpool.DownloadOptions) { o.IfMatch = `"another"` }), processpool.ErrObjectChanged)
				harness.WantContent(t, file, []byte("old"))
				if err := get(func(o *processpool.DownloadOptions) { o.IfNoneMatch = `"another"` }); err != nil {
					t.Errorf("IfNoneMatch of another: got %v, want nil", err)
				}
				harness.WantContent(t, file, harness.Content)
				leak.Files(t, dir, "file")
			})
		}
	}
}

// Conditions that cannot hold, or that contradict each other, are refused before any request.
func TestConditionsRefused(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	d := harness.NewDownloader(t, origin)
	for word, set := range map[string]func(*processpool.DownloadOptions){
		"weak":              func(o *processpool.DownloadOptions) { o.IfMatch = `W/"e"` },
		"IfNoneMatch is *":  func(o *processpool.DownloadOptions) { o.IfNoneMatch = "*" },
		"both set":          func(o *processpool.DownloadOptions) { o.IfMatch, o.IfNoneMatch = "a", "b" },
		"not one ETag":      func(o *processpool.DownloadOptions) { o.IfMatch = `"a", "b"` },
		"not one ETag: \"a": func(o *processpool.DownloadOptions) { o.IfMatch = "a\r\nX-Evil: 1" },
	} {
		err := harness.Download(t, d, "k", filepath.Join(dir, "file"), set)
		harness.WantError(t, err)
		if !strings.Contains(err.Error(), word) {
			t.Errorf("got %v, want %q in it", err, word)
		}
	}
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
}

// Each download may have its own way to be split, verified and stored.
func TestOwnOptions(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Multipart(100, 7), harness.Verify(processpool.VerifyOff))
	var seen processpool.DownloadOptions
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "own"), func(o *processpool.DownloadOptions) {
		seen = *o
		o.MultipartThreshold, o.MultipartChunksize, o.Verify = 5, 4, processpool.VerifyRequired
	})
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	if seen.MultipartThreshold != 100 || seen.MultipartChunksize != 7 || seen.Verify != processpool.VerifyOff || seen.Durable {
		t.Errorf("the function saw %+v, want the values of Config", seen)
	}
	if f.Object().Verified == "" {
		t.Error("not verified")
	}
	harness.WantRanges(t, origin, "bytes=0-3", "bytes=4-7", "bytes=8-9")
	origin.ResetRequests()
	f = d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "plain"))
	if err := harness.Result(t, f); err != nil || f.Object().Verified != "" {
		t.Errorf("got %v, verified by %q, want the values of Config", err, f.Object().Verified)
	}
	harness.WantRanges(t, origin, "")
	err := harness.Download(t, d, "k", filepath.Join(dir, "bad"), func(o *processpool.DownloadOptions) { o.MultipartChunksize = -1 })
	harness.WantError(t, err)
	leak.Files(t, dir, "own", "plain")
}

// VerifyChecksums compares checksums, and takes no ETag for an MD5.
func TestVerifyChecksums(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "checksum", harness.Content)
	none := s3test.WithChecksum("", "")
	origin.Put("b", "md5", harness.Content, none)
	origin.Inject(s3test.Fault{Key: "md5", IgnoreIfMatch: true, Header: map[string]string{"ETag": `"0123456789abcdef0123456789abcdef"`}})
	d := harness.NewDownloader(t, origin, harness.Verify(processpool.VerifyChecksums))
	for name, way := range ways {
		f := d.DownloadFile(t.Context(), "b", "checksum", filepath.Join(dir, "checksum"), way...)
		if err := harness.Result(t, f); err != nil || f.Object().Verified != "CRC64NVME full object" {
			t.Errorf("%s: got %v, verified by %q, want CRC64NVME", name, err, f.Object().Verified)
		}
		f = d.DownloadFile(t.Context(), "b", "md5", filepath.Join(dir, "md5"), way...)
		if err := harness.Result(t, f); err != nil || f.Object().Verified != "" {
			t.Errorf("%s: got %v, verified by %q, want nil and nothing", name, err, f.Object().Verified)
		}
	}
	harness.WantError(t, harness.Download(t, d, "md5", filepath.Join(dir, "auto"),
		func(o *processpool.DownloadOptions) { o.Verify = processpool.VerifyAuto }), processpool.ErrChecksumMismatch)
	leak.Files(t, dir, "checksum", "md5")
}
