package fetch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/fetch"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// TestNoRanges: a server without ranges sends the whole object again after a break, and the range
// begins again.
func TestNoRanges(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 3*mib)
	c := newClient(t, origin)
	for _, whole := range []bool{false, true} {
		for _, algorithm := range []checksum.Algorithm{checksum.CRC32C, checksum.SHA256} {
			for _, etag := range []string{o.etag, ""} {
				t.Run(fmt.Sprintf("whole=%v,%s,etag=%v", whole, algorithm, etag != ""), func(t *testing.T) {
					origin.ClearFaults()
					origin.ResetRequests()
					origin.Inject(s3test.Fault{IgnoreRange: true, Cut: true, CutAfter: 2*mib + 5, Times: 1})
					origin.Inject(s3test.Fault{IgnoreRange: true, Cut: true, CutAfter: mib, Times: 1})
					origin.Inject(s3test.Fault{IgnoreRange: true})
					m, job := &memory{}, o.job(0, 3*mib)
					job.Get.Whole, job.Get.Checksum, job.Get.ETag = whole, algorithm, etag
					var told []int64
					r, _, err := c.Get(t.Context(), job, m, fetch.Observer{Progress: func(written, _ int64, sums *checksum.Sums) {
						if written == 0 && sums.Proof != 0 {
							t.Error("the sums are not those of no bytes")
						}
						told = append(told, written)
					}})
					o.want(t, job, m, r, err)
					wantCount(t, origin, 3)
					again := 0
					for i, n := range told {
						if n == 0 {
							again++
						} else if i > 0 && n < told[i-1] {
							t.Errorf("progress went from %d back to %d", told[i-1], n)
						}
					}
					if again != 2 {
						t.Errorf("progress: got %v, want 0 twice", told)
					}
				})
			}
		}
	}
}

// TestNoRangesForEver: bytes that an answer has brought before are no headway.
func TestNoRangesForEver(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 1000)
	for i := range int64(100) {
		origin.Inject(s3test.Fault{IgnoreRange: true, Cut: true, CutAfter: 300 + i%2, Times: 1})
	}
	_, _, err := newClient(t, origin, attempts(3)).Get(t.Context(), o.whole(), &memory{}, fetch.Observer{})
	wantError(t, err, failure.ErrRetriesExceeded)
	wantCount(t, origin, 5) // the second brings a byte more than the first
}

// TestNoRangesChanged: the answer with the whole object must be of the same object.
func TestNoRangesChanged(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	c := newClient(t, origin, attempts(2))
	for _, size := range []int64{1000, 1001} {
		origin.ClearFaults()
		o := putObject(origin, 1000)
		origin.Inject(s3test.Fault{Cut: true, CutAfter: 300, Times: 1})
		origin.Inject(s3test.Fault{IgnoreRange: true, IgnoreIfMatch: true, Do: func(s *s3test.Server, _ s3test.Request) {
			s.Put("b", "k", s3test.PatternBytes(77, size))
		}})
		_, _, err := c.Get(t.Context(), o.whole(), &memory{}, fetch.Observer{})
		wantError(t, err, failure.ErrObjectChanged)
	}
}

// TestIgnoredRange: the error of a server that ignores Range says so.
func TestIgnoredRange(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 1000)
	origin.Inject(s3test.Fault{IgnoreRange: true})
	_, _, err := newClient(t, origin, attempts(2)).Get(t.Context(), o.job(0, 500), &memory{}, fetch.Observer{})
	wantError(t, err, failure.ErrUnexpected, failure.ErrRetriesExceeded)
	if err == nil || !strings.Contains(err.Error(), "the server ignores Range") {
		t.Errorf("got %v", err)
	}
}

// TestRestartIsTold: that a body was too long takes back the bytes that were reported.
func TestRestartIsTold(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 3*mib)
	f := headers("Content-Length", "")
	f.ExtraBytes, f.Times = 1, 1
	origin.Inject(f)
	var told []int64
	m, job := &memory{}, o.whole()
	r, _, err := newClient(t, origin).Get(t.Context(), job, m, fetch.Observer{Progress: func(written, _ int64, _ *checksum.Sums) {
		told = append(told, written)
	}})
	o.want(t, job, m, r, err)
	if !slices.Contains(told, 0) {
		t.Errorf("progress: got %v, want a 0 in it", told)
	}
}

// TestRefusedRange: a 416 that names the size we know contradicts itself.
func TestRefusedRange(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 1000)
	origin.Inject(s3test.Fault{Status: 416, Header: map[string]string{"Content-Range": "bytes */1000"}, Times: 1})
	m, job := &memory{}, o.job(100, 500)
	r, _, err := newClient(t, origin).Get(t.Context(), job, m, fetch.Observer{})
	o.want(t, job, m, r, err)
}

// TestLimit: an object of parts is unsuited only if nothing but its parts can verify it.
func TestLimit(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	c := newClient(t, origin)
	parts := s3test.WithParts(600, 400)
	for _, l := range []struct {
		name     string
		put      []func(*s3test.Object)
		choose   bool
		unsuited bool
		want     checksum.Algorithm
	}{
		{"full-object CRC", []func(*s3test.Object){parts, s3test.WithChecksum("crc32c", "FULL_OBJECT")}, true, false, checksum.CRC32C},
		{"composite", []func(*s3test.Object){parts, s3test.WithChecksum("sha256", "COMPOSITE")}, true, true, ""},
		{"ETag only", []func(*s3test.Object){parts, s3test.WithChecksum("", "")}, true, true, ""},
		{"nothing to verify by", []func(*s3test.Object){parts, s3test.WithChecksum("", ""), s3test.WithoutETag()}, true, false, ""},
		{"another ETag of parts", []func(*s3test.Object){parts, s3test.WithChecksum("", ""), func(o *s3test.Object) { o.ETag = `"e-2"` }}, true, false, ""},
		{"not verified", []func(*s3test.Object){parts, s3test.WithChecksum("sha256", "COMPOSITE")}, false, false, ""},
	} {
		t.Run(l.name, func(t *testing.T) {
			o := putObject(origin, 1000, l.put...)
			job := &ipc.Job{Bucket: "b", Key: "k", Get: &ipc.Get{
				Size: ipc.SizeUnknown, Length: ipc.SizeUnknown, Whole: true, Unconfirmed: true, Limit: 1001, OneRange: true, Choose: l.choose,
			}}
			if l.choose {
				job.Args.ChecksumMode = "ENABLED"
			}
			m := &memory{}
			r, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
			if l.unsuited {
				if err != nil || !r.Unsuited || m.writes != 0 {
					t.Errorf("got %+v, %v, want Unsuited", r, err)
				}
				return
			}
			if err != nil || r.Unsuited || string(m.data) != string(o.data) {
				t.Fatalf("got %+v, %v and %d bytes", r, err, len(m.data))
			}
			if (r.Chosen == nil) != (l.want == "") || r.Chosen != nil && r.Chosen.Algorithm != l.want {
				t.Errorf("got %+v, want %s", r.Chosen, l.want)
			}
		})
	}
}
