package e2e_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// asked returns the methods and ranges of all requests, sorted.
func asked(origin *s3test.Server) []string {
	var all []string
	for _, r := range origin.Requests() {
		all = append(all, r.Method+" "+r.Range)
	}
	slices.Sort(all)
	return all
}

// With SkipHead a small object takes one request, and is verified all the same. A large object
// costs one request more than without it.
func TestSkipHead(t *testing.T) {
	large := []string{"GET ", "GET bytes=0-4", "GET bytes=5-9", "HEAD "}
	for _, c := range []struct {
		size, threshold int
		want            []string
	}{
		{0, 10, []string{"GET "}},
		{1, 10, []string{"GET "}},
		{9, 10, []string{"GET "}},
		{10, 10, large},
		{3 << 20, 4 << 20, []string{"GET "}},
	} {
		t.Run(fmt.Sprintf("%d of %d", c.size, c.threshold), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			data := s3test.PatternBytes(1, int64(c.size))
			origin.Put("b", "k", data)
			d := harness.NewDownloader(t, origin, harness.Multipart(int64(c.threshold), 5))
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), harness.SkipHead)
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, filepath.Join(dir, "file"), data)
			if got := asked(origin); !slices.Equal(got, c.want) {
				t.Errorf("got requests %q, want %q", got, c.want)
			}
			if o := f.Object(); o.Size != int64(c.size) || o.Verified != "CRC64NVME full object" || o.ETag == "" {
				t.Errorf("got %+v", o)
			}
			if p := f.Progress(); p.BytesDone != int64(c.size) || p.BytesTotal != int64(c.size) {
				t.Errorf("got %+v", p)
			}
			leak.Files(t, dir, "file")
		})
	}
}

// An object that is verified by its parts takes a HeadObject.
func TestSkipHeadOfParts(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content, s3test.WithParts(5, 5), s3test.WithChecksum("sha256", "COMPOSITE"))
	d := harness.NewDownloader(t, origin, harness.Multipart(100, 100))
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), harness.SkipHead)
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	if got := f.Object().Verified; got != "SHA256 composite of 2 parts" {
		t.Errorf("Verified: got %q", got)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
	leak.Files(t, dir, "file")
}

func TestSkipHeadFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		key    string
		faults []s3test.Fault
		verify processpool.VerifyMode
		want   func(error) bool
	}{
		{"no such key", "none", nil, processpool.VerifyAuto, func(err error) bool {
			var noKey *types.NoSuchKey
			return errors.As(err, &noKey)
		}},
		{"nothing to compare with", "bare", nil, processpool.VerifyRequired, func(err error) bool {
			return errors.Is(err, processpool.ErrUnverifiable)
		}},
		{"a flipped bit", "k", []s3test.Fault{{Method: "GET", Flip: true, FlipAt: 3}}, processpool.VerifyAuto, func(err error) bool {
			return errors.Is(err, processpool.ErrChecksumMismatch)
		}},
		{"overwritten after a break", "k", []s3test.Fault{{Method: "GET", Cut: true, CutAfter: 4, Times: 1, Do: func(s *s3test.Server, _ s3test.Request) {
			go s.Put("b", "k", []byte("other text"))
		}}}, processpool.VerifyAuto, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			origin.Put("b", "bare", harness.Content, s3test.WithChecksum("", ""), func(o *s3test.Object) {
				o.Header = map[string]string{"X-Amz-Server-Side-Encryption": "aws:kms"}
			})
			for _, fault := range c.faults {
				origin.Inject(fault)
			}
			d := harness.NewDownloader(t, origin, func(p *processpool.Config) { p.Verify = c.verify })
			err := harness.Download(t, d, c.key, filepath.Join(dir, "file"), harness.SkipHead)
			if c.want == nil { // either version, complete
				if err == nil {
					leak.Files(t, dir, "file")
					return
				}
				c.want = func(err error) bool { return errors.Is(err, processpool.ErrObjectChanged) }
			}
			harness.WantError(t, err)
			if !c.want(err) {
				t.Errorf("got %v", err)
			}
			leak.Files(t, dir)
		})
	}
}

// A body that breaks off is resumed from its last byte, in the same version.
func TestSkipHeadGoesOn(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Method: "GET", Cut: true, CutAfter: 4, Times: 1})
	d := harness.NewDownloader(t, origin)
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file"), harness.SkipHead); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
	got := origin.Requests()
	if len(got) != 2 || got[1].Range != "bytes=4-9" || got[1].IfMatch == "" {
		t.Errorf("got %+v, want a second GET of what is left, with If-Match", got)
	}
	leak.Files(t, dir, "file")
}

// Resume and ExpectedSize override SkipHead.
func TestSkipHeadIsIgnored(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	size := int64(len(harness.Content))
	for want, option := range map[string]func(*processpool.DownloadOptions){
		"[GET  HEAD ]": func(o *processpool.DownloadOptions) { o.Resume = true },
		"[GET ]":       func(o *processpool.DownloadOptions) { o.ExpectedSize = &size },
	} {
		origin.ResetRequests()
		if err := harness.Download(t, d, "k", filepath.Join(dir, "file"), harness.SkipHead, option); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(asked(origin)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	wrong := size + 1
	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "other"), harness.SkipHead, func(o *processpool.DownloadOptions) {
		o.ExpectedSize = &wrong
	}), processpool.ErrSizeMismatch)
	leak.Files(t, dir, "file")
}
