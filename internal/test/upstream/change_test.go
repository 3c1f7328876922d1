package upstream_test

import (
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// T7: every GET asks for the ETag that HeadObject has returned.
func TestT7IfMatch(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	o := origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Multipart(5, 5))

	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	for _, r := range harness.Requests(origin, "GET") {
		if r.IfMatch != o.ETag {
			t.Errorf("%s: got If-Match %q, want %q", r.Range, r.IfMatch, o.ETag)
		}
	}
	leak.Files(t, dir, "file")
}

// Without a HeadObject, the ETag of the first GET applies to the others.
func TestIfMatchWithExpectedSize(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	o := origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Multipart(2, 2))

	if err := harness.Download(t, d, "k", filepath.Join(dir, "file"), harness.Expect(10)); err != nil {
		t.Fatal(err)
	}
	gets := harness.Requests(origin, "GET")
	if len(gets) != 5 || gets[0].IfMatch != "" {
		t.Fatalf("got %d GETs, If-Match %q in the first, want 5, none", len(gets), gets[0].IfMatch)
	}
	for _, r := range gets[1:] {
		if r.IfMatch != o.ETag {
			t.Errorf("%s: got If-Match %q, want %q", r.Range, r.IfMatch, o.ETag)
		}
	}
	leak.Files(t, dir, "file")
}

// T8: a 412 has an error of its own, and is not retried.
func TestT8PreconditionFailed(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	refused := origin.Inject(s3test.Fault{Method: "GET", Status: 412})
	d := harness.NewDownloader(t, origin, harness.Processes(1))

	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), processpool.ErrObjectChanged)
	if refused.Hits() != 1 {
		t.Errorf("got %d GETs, want 1", refused.Hits())
	}
	leak.Files(t, dir)
}

// T9: without an ETag there is no If-Match.
func TestT9NoETag(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content, s3test.WithoutETag())
	d := harness.NewDownloader(t, origin, harness.Multipart(5, 5))

	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	for _, r := range harness.Requests(origin, "GET") {
		if _, set := r.Header["If-Match"]; set {
			t.Errorf("%s: got If-Match %q, want none", r.Range, r.IfMatch)
		}
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
	leak.Files(t, dir, "file")
}

// An object that is replaced between HEAD and GET, or between ranges, never results in a mix of two
// versions.
func TestObjectChanged(t *testing.T) {
	same, longer, shorter := []byte("MY CONTENT"), []byte("my contents"), []byte("my")
	for _, c := range []struct {
		name    string
		swap    string // the Range of the GET that is answered after the object is replaced
		by      []byte
		fault   s3test.Fault
		noETag  bool
		options func(*processpool.DownloadOptions)
		plan    func(*processpool.Config)
	}{
		{name: "before the only GET", by: same, plan: harness.Multipart(11, 5)},
		{name: "before the only GET, ignored If-Match", by: same, fault: s3test.Fault{IgnoreIfMatch: true}, plan: harness.Multipart(11, 5)},
		{name: "before the only GET, without ETag, longer", by: longer, noETag: true, plan: harness.Multipart(11, 5)},
		{name: "before the only GET, without ETag, shorter", by: shorter, noETag: true, plan: harness.Multipart(11, 5)},
		{name: "before the first range", swap: "bytes=0-4", by: same, plan: harness.Multipart(5, 5)},
		{name: "before the last range", swap: "bytes=5-9", by: same, plan: harness.Multipart(5, 5)},
		{name: "before the last range, ignored If-Match", swap: "bytes=5-9", by: same, fault: s3test.Fault{IgnoreIfMatch: true}, plan: harness.Multipart(5, 5)},
		{name: "before the last range, without ETag, longer", swap: "bytes=5-9", by: longer, noETag: true, plan: harness.Multipart(5, 5)},
		{name: "before the last range, without ETag, shorter", swap: "bytes=5-9", by: shorter, noETag: true, plan: harness.Multipart(5, 5)},
		{name: "before the last range, with ExpectedSize", swap: "bytes=5-9", by: same, options: harness.Expect(10), plan: harness.Multipart(5, 5)},
		{name: "before a retry of the only GET", swap: "bytes=3-9", by: same, fault: s3test.Fault{Method: "GET", Times: 1, Cut: true, CutAfter: 3}, plan: harness.Multipart(11, 5)},
		{name: "before a retry of the first GET, with ExpectedSize", swap: "bytes=3-9", by: same, fault: s3test.Fault{Method: "GET", Times: 1, Cut: true, CutAfter: 3}, options: harness.Expect(10), plan: harness.Multipart(11, 5)},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			var put []func(*s3test.Object)
			if c.noETag {
				put = harness.ObjectOptions(s3test.WithoutETag(), s3test.WithChecksum("", ""))
			}
			origin.Put("b", "k", harness.Content, put...)
			swap := c.fault
			swap.Times = 1
			swap.Match = func(r s3test.Request) bool { return r.Method == "GET" && r.Range == c.swap }
			swap.Do = func(s *s3test.Server, _ s3test.Request) { s.Put("b", "k", c.by, put...) }
			if c.fault.Cut {
				origin.Inject(c.fault)
				swap.Cut = false
			}
			origin.Inject(swap)
			d := harness.NewDownloader(t, origin, harness.Processes(1), c.plan)
			if c.options == nil {
				c.options = func(*processpool.DownloadOptions) {}
			}
			harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file"), c.options), processpool.ErrObjectChanged)
			leak.Files(t, dir)
		})
	}
}
