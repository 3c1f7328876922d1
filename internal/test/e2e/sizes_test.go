package e2e_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Objects around the default size of a range, 8 MiB, and empty objects.
func TestSizes(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	d := harness.NewDownloader(t, origin)
	for _, c := range []struct {
		size   int64
		ranges []string
	}{
		{0, []string{"bytes=0-0", ""}}, // two GetObjects confirm the size
		{1, []string{""}},
		{8388607, []string{""}},
		{8388608, []string{"bytes=0-8388607"}},
		{8388609, []string{"bytes=0-8388607", "bytes=8388608-8388608"}},
		{16777217, []string{"bytes=0-8388607", "bytes=8388608-16777215", "bytes=16777216-16777216"}},
	} {
		t.Run(fmt.Sprintf("size=%d", c.size), func(t *testing.T) {
			wantSize(t, origin, d, c.size, c.ranges...)
		})
	}
}

// The threshold decides whether an object is split, and the chunksize where.
func TestSizesAndThreshold(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	for _, c := range []struct {
		size, threshold, chunk int64
		ranges                 []string
	}{
		{9, 10, 4, []string{""}},
		{10, 10, 4, []string{"bytes=0-3", "bytes=4-7", "bytes=8-9"}},
		{11, 10, 4, []string{"bytes=0-3", "bytes=4-7", "bytes=8-10"}},
		{12, 10, 4, []string{"bytes=0-3", "bytes=4-7", "bytes=8-11"}},
		{10, 10, 100, []string{"bytes=0-9"}},
		{1, 1, 100, []string{"bytes=0-0"}},
		{0, 1, 1, []string{"bytes=0-0", ""}},
		{3, 1, 1, []string{"bytes=0-0", "bytes=1-1", "bytes=2-2"}},
		{3, 1 << 62, 1, []string{""}},
		{3, 1, 1 << 62, []string{"bytes=0-2"}},
	} {
		t.Run(fmt.Sprintf("size=%d,threshold=%d,chunk=%d", c.size, c.threshold, c.chunk), func(t *testing.T) {
			d := harness.NewDownloader(t, origin, harness.Multipart(c.threshold, c.chunk))
			wantSize(t, origin, d, c.size, c.ranges...)
		})
	}
}

func wantSize(t *testing.T, origin *s3test.Server, d *processpool.Downloader, size int64, ranges ...string) {
	t.Helper()
	dir, data := t.TempDir(), s3test.PatternBytes(uint64(size), size)
	origin.Put("b", "k", data)
	origin.ResetRequests()
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), data)
	harness.WantRanges(t, origin, ranges...)
	if got := f.Object(); got.Size != size || got.Verified != "CRC64NVME full object" {
		t.Errorf("got object %+v, want one of %d bytes that is verified", got, size)
	}
	leak.Files(t, dir, "file")
}

func TestKeys(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	d := harness.NewDownloader(t, origin, harness.Multipart(5, 5))
	for _, key := range []string{
		"with space", " leading and trailing ", "plus+sign", "a+b c%20d", "percent%2Fsign%", "üñïçødé", "日本語/キー", "🪣",
		".", "..", "a/./b", "a/../b", "../../etc/passwd", "a//b", "/leading", "trailing/", "...", "dot.",
		"question?mark", "hash#sign", "a&b=c;d,e", `quote"d'`, `back\slash`, "tab\tnew\nline", "*$!(@)[]{}<>|^~`:",
		strings.Repeat("k", 1024), strings.Repeat("日", 341),
	} {
		t.Run(fmt.Sprintf("key=%.20q", key), func(t *testing.T) {
			dir, data := t.TempDir(), []byte("content of "+key)
			origin.Put("b", key, data)
			if err := harness.Download(t, d, key, filepath.Join(dir, "file")); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, filepath.Join(dir, "file"), data)
			leak.Files(t, dir, "file")
		})
	}
}
