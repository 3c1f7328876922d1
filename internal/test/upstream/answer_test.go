package upstream_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// T10: an answer that does not fit the request is retried, and its body is never used. One that
// looks right fails the checksum.
func TestT10WrongAnswer(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Multipart(4, 4), harness.Quickly)
	header := func(name, value string) s3test.Fault {
		return s3test.Fault{Header: map[string]string{name: value}}
	}
	for _, c := range []struct {
		name   string
		fault  s3test.Fault // for the GET of bytes=4-7
		always error        // how the download ends if all answers have the fault
		once   error        // and if one answer has it
	}{
		{"200 and the whole object", s3test.Fault{IgnoreRange: true}, failure.ErrUnexpected, nil},
		{"200 and the range", s3test.Fault{Status: 200}, failure.ErrUnexpected, nil},
		{"203 and the range", s3test.Fault{Status: 203}, failure.ErrUnexpected, nil},
		{"another range", s3test.Fault{ShiftRange: 1}, failure.ErrUnexpected, nil},
		{"another range under the right name", s3test.Fault{ShiftRange: 1, LieRange: true}, processpool.ErrChecksumMismatch, processpool.ErrChecksumMismatch},
		{"short 206", s3test.Fault{ShortBody: 3}, failure.ErrUnexpected, nil},
		{"long 206", s3test.Fault{ExtraBytes: 1}, failure.ErrUnexpected, nil},
		{"no Content-Range", header("Content-Range", ""), failure.ErrUnexpected, nil},
		{"Content-Range of bytes unknown", header("Content-Range", "bytes */10"), failure.ErrUnexpected, nil},
		{"Content-Range of nonsense", header("Content-Range", "bytes 4-x/10"), failure.ErrUnexpected, nil},
		{"Content-Range of other units", header("Content-Range", "items 4-7/10"), failure.ErrUnexpected, nil},
		{"Content-Range of more", header("Content-Range", "bytes 4-8/10"), failure.ErrUnexpected, nil},
		{"Content-Range of another object", header("Content-Range", "bytes 4-7/11"), processpool.ErrObjectChanged, processpool.ErrObjectChanged},
		{"Content-Length of less", header("Content-Length", "3"), failure.ErrUnexpected, nil},
		{"cut before the headers", s3test.Fault{Cut: true, CutAfter: -1}, processpool.ErrRetriesExceeded, nil},
		{"cut before the body", s3test.Fault{Cut: true}, processpool.ErrRetriesExceeded, nil},
		{"500", s3test.Fault{Status: 500}, processpool.ErrRetriesExceeded, nil},
		{"403", s3test.Fault{Status: 403}, errAny, errAny},
	} {
		for _, times := range []int{0, 1} {
			name, want := c.name+", always", c.always
			if times == 1 {
				name, want = c.name+", once", c.once
			}
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				c.fault.Method, c.fault.Range, c.fault.Times = "GET", "bytes=4-7", times
				origin.ClearFaults()
				origin.Inject(c.fault)

				err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
				if want == nil {
					if err != nil {
						t.Fatal(err)
					}
					harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
					leak.Files(t, dir, "file")
					return
				}
				harness.WantError(t, err)
				if want != errAny && !errors.Is(err, want) {
					t.Errorf("got error %q, want one that is %q", err, want)
				}
				leak.Files(t, dir)
			})
		}
	}
}

var errAny = errors.New("any error")

// T11: a Content-Range that matches is accepted, also one with an unknown total, and so is a 200 in
// answer to a Range of the whole object.
func TestT11RightAnswer(t *testing.T) {
	for _, c := range []struct {
		name  string
		chunk int64
		fault s3test.Fault
	}{
		{"206", 4, s3test.Fault{Range: "bytes=4-7", Header: map[string]string{"Content-Range": "bytes 4-7/10"}}},
		{"206 of an unknown total", 4, s3test.Fault{Range: "bytes=4-7", Header: map[string]string{"Content-Range": "bytes 4-7/*"}}},
		{"206 without Content-Length", 4, s3test.Fault{Range: "bytes=4-7", Header: map[string]string{"Content-Length": ""}}},
		{"200 to the range of everything", 10, s3test.Fault{Range: "bytes=0-9", IgnoreRange: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			once := origin.Inject(c.fault)
			d := harness.NewDownloader(t, origin, harness.Multipart(4, c.chunk))
			if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
				t.Fatal(err)
			}
			if once.Hits() != 1 {
				t.Errorf("got %d GETs of %s, want 1", once.Hits(), c.fault.Range)
			}
			harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
			leak.Files(t, dir, "file")
		})
	}
}

// A wrong ExpectedSize is ErrSizeMismatch, whether it is too small or too large. It never pads or
// truncates the file.
func TestExpectedSize(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	one, several := harness.NewDownloader(t, origin, harness.Multipart(100, 4)), harness.NewDownloader(t, origin, harness.Multipart(1, 4))
	for _, c := range []struct {
		size, expected int64
		d              *processpool.Downloader
	}{
		{10, 9, one}, {10, 11, one}, {10, 0, one}, {0, 1, one}, {0, 99, one}, {10, 10, one}, {0, 0, one},
		{10, 9, several}, {10, 11, several}, {10, 0, several}, {10, 4, several}, {10, 12, several}, {10, 13, several},
		{10, 1 << 20, several}, {0, 1, several}, {0, 9, several}, {10, 10, several}, {0, 0, several}, {1, 1, several},
	} {
		t.Run(fmt.Sprintf("size=%d,expected=%d,ranges=%v", c.size, c.expected, c.d == several), func(t *testing.T) {
			dir, data := t.TempDir(), s3test.PatternBytes(1, c.size)
			origin.Put("b", "k", data)

			err := harness.Download(t, c.d, "k", filepath.Join(dir, "file"), harness.Expect(c.expected))
			if n := len(harness.Requests(origin, "HEAD")); n > 0 {
				t.Errorf("got %d HEAD, want none", n)
			}
			if c.size != c.expected {
				harness.WantError(t, err, processpool.ErrSizeMismatch)
				leak.Files(t, dir)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, filepath.Join(dir, "file"), data)
			leak.Files(t, dir, "file")
		})
	}
}

// A negative ExpectedSize is refused before any request.
func TestExpectedSizeNegative(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)

	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file"), harness.Expect(-1)))
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	leak.Files(t, dir)
}

// DownloadFile copies the value that ExpectedSize points to before it returns.
func TestExpectedSizeIsTakenAtOnce(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Key: "k", Times: 1, Gate: gate})
	d := harness.NewDownloader(t, origin, harness.Processes(1))
	first := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "first"))
	harness.Arrive(t, origin, 1, "HEAD") // this download occupies the only worker

	size := int64(10)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
		o.ExpectedSize = &size
	})
	size = 11
	close(gate)
	if err := errors.Join(harness.Result(t, first), harness.Result(t, f)); err != nil {
		t.Errorf("got %v, want the size that was given", err)
	}
	if got := f.Meta().ExpectedSize; got == nil || *got != 10 {
		t.Errorf("Meta().ExpectedSize: got %v, want 10", got)
	}
	leak.Files(t, dir, "file", "first")
}
