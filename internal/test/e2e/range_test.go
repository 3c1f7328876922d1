package e2e_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// part is an option that has a part of the object downloaded.
func part(offset, length int64) func(*processpool.DownloadOptions) {
	return func(o *processpool.DownloadOptions) { o.Range = &processpool.Range{Offset: offset, Length: length} }
}

// A range arrives from the file's first byte on, whichever request asks first and however it is
// split.
func TestRange(t *testing.T) {
	size := int64(len(harness.Content))
	for name, way := range ways {
		for _, chunk := range []int64{1, 3, 100} {
			t.Run(fmt.Sprintf("%s,chunk=%d", name, chunk), func(t *testing.T) {
				leak.Check(t)
				origin, dir := harness.StartOrigin(t), t.TempDir()
				etag := origin.Put("b", "k", harness.Content).ETag
				d := harness.NewDownloader(t, origin, harness.Multipart(chunk, chunk))
				file := filepath.Join(dir, "file")
				for _, c := range []struct{ offset, length, want int64 }{
					{0, 0, size}, {0, size, size}, {0, 1, 1}, {0, 4, 4}, {3, 4, 4}, {3, 0, size - 3}, {size - 1, 1, 1}, {size - 1, 0, 1},
				} {
					f := d.DownloadFile(t.Context(), "b", "k", file, append(way[:len(way):len(way)], part(c.offset, c.length))...)
					if err := harness.Result(t, f); err != nil {
						t.Fatalf("%d+%d: %v", c.offset, c.length, err)
					}
					harness.WantContent(t, file, harness.Content[c.offset:c.offset+c.want])
					if got := f.Object(); got.Size != size || got.ETag != etag {
						t.Errorf("%d+%d: object: got %+v, want size %d and ETag %s", c.offset, c.length, got, size, etag)
					}
					if got := f.Progress(); got.BytesDone != c.want || got.BytesTotal != c.want {
						t.Errorf("%d+%d: progress: got %+v, want %d", c.offset, c.length, got, c.want)
					}
					if verified := f.Object().Verified; c.want < size && verified != "" {
						t.Errorf("%d+%d: Verified: got %q, and nothing can verify a part", c.offset, c.length, verified)
					}
				}
				leak.Files(t, dir, "file")
			})
		}
	}
}

// A range that is not in the object is ErrSizeMismatch, and costs no byte.
func TestRangeBeyondEnd(t *testing.T) {
	for _, content := range [][]byte{harness.Content, nil} {
		size := int64(len(content))
		for name, way := range ways {
			if name == "ExpectedSize" {
				way = []func(*processpool.DownloadOptions){harness.Expect(size)}
			}
			t.Run(fmt.Sprintf("%s,size=%d", name, size), func(t *testing.T) {
				leak.Check(t)
				origin, dir := harness.StartOrigin(t), t.TempDir()
				origin.Put("b", "k", content)
				d := harness.NewDownloader(t, origin)
				for _, c := range []struct{ offset, length int64 }{
					{size, 1}, {size + 5, 0}, {size + 5, 2}, {0, size + 1}, {size / 2, size}, {1, math.MaxInt64 - 1}, {math.MaxInt64 - 1, 1}, {max(size, 1), 0},
				} {
					if c.offset == 0 && c.length == size {
						continue // of an empty object that is everything
					}
					err := harness.Download(t, d, "k", filepath.Join(dir, "file"), append(way[:len(way):len(way)], part(c.offset, c.length))...)
					harness.WantError(t, err, processpool.ErrSizeMismatch)
					if e := harness.TransferError(t, err); e.Temporary() {
						t.Errorf("%v is said to be temporary", err)
					}
				}
				leak.Files(t, dir)
			})
		}
	}
}

// A range of whole parts is verified by the parts' own checksums, where S3 keeps them. A part that is
// bad is fetched once more.
func TestRangeOfParts(t *testing.T) {
	content := s3test.PatternBytes(1, 50)
	for _, alg := range []string{"crc32c", "sha256"} {
		for _, c := range []struct {
			offset, length int64
			flip, again    int64  // the byte that the server flips, and how often; 0: none
			want           string // of Verified, after the algorithm; "": nothing verifies
			mismatch       bool
		}{
			{0, 20, 0, 0, " of part 1 of 3", false},
			{20, 20, 0, 0, " of part 2 of 3", false},
			{20, 0, 0, 0, " of parts 2 to 3 of 3", false},
			{0, 40, 0, 0, " of parts 1 to 2 of 3", false},
			{20, 20, 25, 1, " of part 2 of 3", false},
			{20, 0, 45, 1, " of parts 2 to 3 of 3", false},
			{20, 20, 25, 2, "", true},
			{20, 19, 25, 1, "", false}, // and nobody sees it
			{1, 19, 0, 0, "", false},
			{20, 30, 0, 0, " of parts 2 to 3 of 3", false},
		} {
			t.Run(fmt.Sprintf("%s,%d+%d,flip=%d,%d", alg, c.offset, c.length, c.flip, c.again), func(t *testing.T) {
				leak.Check(t)
				origin, dir := harness.StartOrigin(t), t.TempDir()
				origin.Put("b", "k", content, s3test.WithParts(20, 20, 10), s3test.WithChecksum(alg, "COMPOSITE"))
				if c.again > 0 {
					origin.Inject(s3test.Fault{Method: "GET", Times: int(c.again), Flip: true, FlipAt: c.flip,
						Match: func(r s3test.Request) bool { return harness.Covers(r.Range, c.flip) }})
				}
				d := harness.NewDownloader(t, origin, harness.Multipart(7, 7))
				file := filepath.Join(dir, "file")
				f := d.DownloadFile(t.Context(), "b", "k", file, part(c.offset, c.length))
				err := harness.Result(t, f)
				if c.mismatch {
					harness.WantError(t, err, processpool.ErrChecksumMismatch)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				want := c.want
				if want != "" {
					want = map[string]string{"crc32c": "CRC32C", "sha256": "SHA256"}[alg] + want
				}
				if got := f.Object().Verified; got != want {
					t.Errorf("Verified: got %q, want %q", got, want)
				}
				end := c.offset + c.length
				if c.length == 0 {
					end = 50
				}
				got, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, content[c.offset:end]) && want != "" {
					t.Errorf("got %x, want %x", got, content[c.offset:end])
				}
			})
		}
	}
}

// Where verification is required, a range that nothing verifies costs no byte.
func TestRangeRequired(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content, s3test.WithParts(4, 6), s3test.WithChecksum("crc32c", "COMPOSITE"))
			d := harness.NewDownloader(t, origin, harness.Verify(processpool.VerifyRequired))
			file := filepath.Join(dir, "file")
			with := func(offset, length int64) []func(*processpool.DownloadOptions) {
				return append(way[:len(way):len(way)], part(offset, length))
			}
			harness.WantError(t, harness.Download(t, d, "k", file, with(3, 4)...), processpool.ErrUnverifiable)
			harness.WantRanges(t, origin, "") // a GetObjectAttributes
			if err := harness.Download(t, d, "k", file, with(4, 6)...); err != nil {
				t.Error(err)
			}
			harness.WantContent(t, file, harness.Content[4:])
		})
	}
}

// With SkipHead a short range is one request.
func TestRangeSkipHead(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Multipart(5, 5))
	for length, heads := range map[int64]int{4: 0, 5: 1, 0: 1} {
		origin.ResetRequests()
		if err := harness.Download(t, d, "k", filepath.Join(dir, "file"), harness.SkipHead, part(2, length)); err != nil {
			t.Fatal(err)
		}
		if got := len(harness.Requests(origin, "HEAD")); got != heads {
			t.Errorf("length=%d: %d HEADs, want %d", length, got, heads)
		}
	}
	leak.Files(t, dir, "file")
}

// A server that ignores Range, or answers with another one, is not believed.
func TestRangeUntrusted(t *testing.T) {
	for name, fault := range map[string]s3test.Fault{
		"200":     {IgnoreRange: true},
		"shifted": {ShiftRange: 1},
		"short":   {ShortBody: 2},
		"long":    {ExtraBytes: 3},
		"no size": {Header: map[string]string{"Content-Range": "bytes 2-5/*"}},
	} {
		for way, fns := range ways {
			t.Run(name+","+way, func(t *testing.T) {
				leak.Check(t)
				origin, dir := harness.StartOrigin(t), t.TempDir()
				origin.Put("b", "k", harness.Content)
				fault.Method, fault.Times = "GET", 1
				origin.Inject(fault)
				d := harness.NewDownloader(t, origin)
				file := filepath.Join(dir, "file")
				if err := harness.Download(t, d, "k", file, append(fns[:len(fns):len(fns)], part(2, 4))...); err != nil {
					t.Fatalf("got %v, want nil after a second attempt", err)
				}
				harness.WantContent(t, file, harness.Content[2:6])
			})
		}
	}
}

// A range that was interrupted resumes; another range of the object begins afresh.
func TestRangeResume(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	content := s3test.PatternBytes(2, 100)
	origin.Put("b", "k", content)
	d := harness.Single(t, origin, 10)
	file := filepath.Join(dir, "file")
	fault := origin.Inject(s3test.Fault{Method: "GET", Gate: make(chan struct{}), Range: "bytes=55-64"})
	f := d.DownloadFile(t.Context(), "b", "k", file, harness.Resume, part(25, 60))
	harness.Reach(t, origin, func(r s3test.Request) bool { return r.Range == "bytes=55-64" })
	f.Cancel()
	harness.WantError(t, harness.Result(t, f), processpool.ErrCanceled)
	if fault.Hits() == 0 {
		t.Fatal("the download was not interrupted")
	}
	origin.ClearFaults()
	for _, c := range []struct{ offset, length, resumed int64 }{{25, 60, 30}, {26, 60, 0}} {
		f := d.DownloadFile(t.Context(), "b", "k", file, harness.Resume, part(c.offset, c.length))
		if err := harness.Result(t, f); err != nil {
			t.Fatal(err)
		}
		harness.WantContent(t, file, content[c.offset:c.offset+c.length])
		harness.WantResumed(t, f.Object(), c.resumed)
		leak.Files(t, dir, "file")
	}
}

// Ranges that no object has are refused, and name what is wrong. Meta has a copy.
func TestRangeRefused(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	d := harness.NewDownloader(t, origin)
	for _, c := range []struct{ offset, length int64 }{{-1, 1}, {1, -1}, {math.MaxInt64, 1}, {math.MinInt64, math.MinInt64}} {
		err := harness.Download(t, d, "k", filepath.Join(dir, "file"), part(c.offset, c.length))
		if e := harness.TransferError(t, err); e.Op != processpool.OpCheck {
			t.Errorf("%d+%d: got %v", c.offset, c.length, err)
		}
	}
	all := harness.Directory(t, d, "", dir, func(o *processpool.DirectoryOptions) {
		o.Options = append(o.Options, part(0, 1))
	})
	harness.WantDirectoryError(t, all.Result(), 0)
	if n := len(origin.Requests()); n > 0 {
		t.Errorf("%d requests, want none", n)
	}

	r := &processpool.Range{Length: 1}
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) { o.Range = r })
	r.Length = 5
	f.Meta().Range.Length = 6
	if got := f.Meta().Range.Length; got != 1 {
		t.Errorf("Meta has a length of %d, want 1", got)
	}
	f.Cancel()
	harness.Result(t, f)
}
