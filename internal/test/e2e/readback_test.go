package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// digests are the ways in which S3 stores a digest of the whole object that does not combine.
var digests = []struct {
	name     string
	put      []func(*s3test.Object)
	verified string
}{
	{"SHA256", harness.ObjectOptions(s3test.WithChecksum("sha256", "FULL_OBJECT")), "SHA256 full object"},
	{"MD5", harness.ObjectOptions(s3test.WithChecksum("", "")), "MD5 ETag"},
	{"XXHASH128", harness.ObjectOptions(s3test.WithChecksum("xxhash128", "FULL_OBJECT"), s3test.WithoutETag()), "XXHASH128 full object"},
}

// VerifyRequired fetches an object of a digest that does not combine in ranges, and reads it back.
func TestVerifyRequiredReadsBack(t *testing.T) {
	content := s3test.PatternBytes(13, 1_000_001)
	for _, test := range digests {
		t.Run(test.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", content, test.put...)
			reads := 0
			d := harness.NewDownloader(t, origin, harness.Multipart(100_000, 100_000), harness.Verify(processpool.VerifyRequired),
				harness.OnRecord{Message: readBack, Call: func() { reads++ }}.Config)
			for _, option := range []func(*processpool.DownloadOptions){func(*processpool.DownloadOptions) {}, harness.Resume} {
				origin.ResetRequests()
				f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "out"), option)
				if err := harness.Result(t, f); err != nil {
					t.Fatal(err)
				}
				harness.WantContent(t, filepath.Join(dir, "out"), content)
				if got := f.Object().Verified; got != test.verified {
					t.Errorf("Verified: got %q, want %q", got, test.verified)
				}
				if n := len(harness.Requests(origin, "GET")); n != 11 {
					t.Errorf("got %d GETs, want 11", n)
				}
			}
			if reads != 2 {
				t.Errorf("read back %d times, want 2", reads)
			}
			origin.Inject(s3test.Fault{Method: "GET", Flip: true, FlipAt: 654_321, Times: 1,
				Match: func(r s3test.Request) bool { return harness.Covers(r.Range, 654_321) }})
			harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "bad")), processpool.ErrChecksumMismatch)
			leak.Files(t, dir, "out")
		})
	}
}

// What is read back is the file: bytes that a disk has changed do not appear.
func TestReadBackIsOfTheFile(t *testing.T) {
	content := s3test.PatternBytes(13, 300_000)
	for _, resume := range []bool{false, true} {
		t.Run(fmt.Sprintf("resume=%t", resume), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", content)
			d := harness.NewDownloader(t, origin, harness.Multipart(100_000, 100_000), harness.OnRecord{Message: readBack, Call: func() {
				name := filepath.Join(dir, ".k.part")
				if !resume {
					name = harness.Temporary(t, dir, "k")
				}
				f, err := os.OpenFile(name, os.O_WRONLY, 0)
				if err == nil {
					_, err = f.WriteAt([]byte("disk"), 222_222)
					f.Close()
				}
				if err != nil {
					t.Error(err)
				}
			}}.Config)
			err := harness.Download(t, d, "k", filepath.Join(dir, "k"), harness.Digests(content, "SHA256"),
				func(o *processpool.DownloadOptions) { o.Resume = resume })
			harness.WantError(t, err, processpool.ErrChecksumMismatch)
			leak.Files(t, dir)
		})
	}
}

// A cancel takes effect while the file is read back.
func TestCancelReadBack(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	const size = 32 * harness.MiB
	content := s3test.PatternBytes(13, size)
	origin.PutContent("b", "k", size, s3test.Pattern(13))
	started := make(chan struct{})
	d := harness.NewDownloader(t, origin, harness.OnRecord{Message: readBack, Call: func() { close(started) }}.Config)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "k"), harness.Digests(content, "SHA256", "SHA512", "MD5", "SHA1"))
	harness.Wait(t, started, "the reading")
	f.Cancel()
	harness.WantCanceled(t, f)
	leak.Files(t, dir)
}

// A file of the caller's is read back, too, if it can be read.
func TestReadBackOpenFile(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	content := s3test.PatternBytes(13, 300_000)
	origin.Put("b", "k", content, s3test.WithChecksum("sha256", "FULL_OBJECT"))
	var log harness.Log
	d := harness.NewDownloader(t, origin, harness.Multipart(100_000, 100_000), log.Config)
	required := func(o *processpool.DownloadOptions) { o.Verify = processpool.VerifyRequired }
	for _, test := range []struct {
		name        string
		flag        int
		option      func(*processpool.DownloadOptions)
		verified    string // "": refused
		reads, gets int
	}{
		{"Expect", os.O_RDWR, harness.Digests(content, "MD5", "CRC32"), "MD5 expected", 1, 3},
		{"VerifyRequired", os.O_RDWR, required, "SHA256 full object", 1, 3},
		{"Expect, write only", os.O_WRONLY, harness.Digests(content, "CRC32", "MD5"), "", 0, 0},
		{"a CRC, write only", os.O_WRONLY, harness.Digests(content, "CRC32"), "CRC32 expected", 0, 3},
		{"VerifyRequired, write only", os.O_WRONLY, required, "SHA256 full object", 0, 1},
	} {
		origin.ResetRequests()
		before := len(log.Records(t, readBack))
		f, err := os.OpenFile(filepath.Join(dir, "file"), os.O_CREATE|test.flag, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		future := d.DownloadTo(t.Context(), "b", "k", f, test.option)
		err = harness.Result(t, future)
		if test.verified == "" {
			harness.WantError(t, err)
			if !strings.Contains(err.Error(), "check s3://b/k") || !strings.Contains(err.Error(), "for the MD5 in Expect") {
				t.Errorf("%s: got %v", test.name, err)
			}
		} else if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else {
			harness.WantContent(t, f.Name(), content)
		}
		if got := future.Object().Verified; got != test.verified {
			t.Errorf("%s: Verified: got %q, want %q", test.name, got, test.verified)
		}
		if reads := len(log.Records(t, readBack)) - before; reads != test.reads {
			t.Errorf("%s: read back %d times, want %d", test.name, reads, test.reads)
		}
		if gets := len(harness.Requests(origin, "GET")); gets != test.gets {
			t.Errorf("%s: %d GETs, want %d", test.name, gets, test.gets)
		}
		err = harness.Result(t, d.DownloadTo(t.Context(), "b", "k", f, harness.Digests(content[1:], "CRC32")))
		harness.WantError(t, err, processpool.ErrChecksumMismatch)
	}
}
