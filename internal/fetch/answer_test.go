package fetch_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/fetch"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func headers(pairs ...string) s3test.Fault {
	f := s3test.Fault{Header: map[string]string{}}
	for i := 0; i < len(pairs); i += 2 {
		f.Header[pairs[i]] = pairs[i+1]
	}
	return f
}

// TestUnexpectedAnswer: an answer that does not fit the request is not written, and the request is
// retried.
func TestUnexpectedAnswer(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 1000)
	c := newClient(t, origin, attempts(2))
	for _, f := range []struct {
		name  string
		whole bool
		fault s3test.Fault
	}{
		{name: "200 and the whole object", fault: s3test.Fault{IgnoreRange: true}},
		{name: "200 and the range", fault: s3test.Fault{Status: 200}},
		{name: "204", fault: s3test.Fault{Status: 204}},
		{name: "another range", fault: s3test.Fault{ShiftRange: 1}},
		{name: "a range before it", fault: s3test.Fault{ShiftRange: -100}},
		{name: "a shorter range", fault: s3test.Fault{ShortBody: 499}},
		{name: "too much, told", fault: s3test.Fault{ExtraBytes: 1}},
		{name: "much too much, told", fault: s3test.Fault{ExtraBytes: 3 * mib}},
		{name: "no Content-Range", fault: headers("Content-Range", "")},
		{name: "a strange Content-Range", fault: headers("Content-Range", "bytes 100-599")},
		{name: "a wider Content-Range", fault: headers("Content-Range", "bytes 100-600/1000")},
		{name: "a Content-Range that begins elsewhere", fault: headers("Content-Range", "bytes 99-599/1000")},
		{name: "a smaller Content-Length", fault: headers("Content-Length", "10")},
		{name: "206 of the whole object", whole: true, fault: s3test.Fault{Status: 206}},
	} {
		t.Run(f.name, func(t *testing.T) {
			job := o.job(100, 500)
			if f.whole {
				job = o.whole()
			}
			origin.ClearFaults()
			origin.ResetRequests()
			origin.Inject(f.fault)
			m := &memory{}
			_, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
			wantError(t, err, failure.ErrUnexpected, failure.ErrRetriesExceeded)
			if m.writes != 0 {
				t.Errorf("got %d writes, want none", m.writes)
			}
			wantCount(t, origin, 2)

			origin.ClearFaults()
			f.fault.Times = 1
			origin.Inject(f.fault)
			r, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
			o.want(t, job, m, r, err)
		})
	}
}

// TestTooMuchUntold: without a Content-Length, only the end of the body shows that it is too long.
// The bytes before the end cannot be trusted either.
func TestTooMuchUntold(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 3*mib)
	c := newClient(t, origin)
	f := headers("Content-Length", "")
	f.ExtraBytes, f.Times = 1, 1
	for _, job := range []*ipc.Job{o.job(0, 100), o.job(7, mib-1), o.job(7, mib), o.job(7, 2*mib+1), o.whole()} {
		t.Run(fmt.Sprintf("length=%d,whole=%v", job.Get.Length, job.Get.Whole), func(t *testing.T) {
			for _, algorithm := range []checksum.Algorithm{checksum.CRC32, checksum.SHA1} {
				origin.ClearFaults()
				origin.ResetRequests()
				origin.Inject(f)
				m := &memory{}
				job.Get.Checksum = algorithm
				r, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
				o.want(t, job, m, r, err)
				requests := origin.Requests()
				if len(requests) != 2 || requests[0].Range != requests[1].Range {
					t.Errorf("got %d requests, want the same one twice", len(requests))
				}
			}
		})
	}
}

// TestNoContentLength: an answer without one is accepted, and the body's end tells its length.
func TestNoContentLength(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 2*mib)
	f := headers("Content-Length", "")
	f.Times = 1
	cut := f
	cut.Cut, cut.CutAfter = true, 1000
	c := newClient(t, origin)
	for _, job := range []*ipc.Job{o.job(5, 500), o.job(5, mib), o.whole()} {
		for name, fault := range map[string]s3test.Fault{"plain": f, "cut": cut} {
			t.Run(fmt.Sprintf("length=%d,%s", job.Get.Length, name), func(t *testing.T) {
				origin.ClearFaults()
				origin.Inject(fault)
				m := &memory{}
				r, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
				o.want(t, job, m, r, err)
			})
		}
	}
}

// TestShortBodyUntold: a chunked body ends early, and without an error.
func TestShortBodyUntold(t *testing.T) {
	leak.Check(t)
	data := s3test.PatternBytes(1, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var first, last int
		if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last); err != nil {
			t.Errorf("got Range %q", r.Header.Get("Range"))
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/1000", first, last))
		w.Header().Set("Transfer-Encoding", "chunked")
		w.WriteHeader(http.StatusPartialContent)
		w.Write(data[first:min(last+1, first+300)])
	}))
	defer server.Close()
	c, err := fetch.New(fetch.Options{Settings: settings.Settings{
		Client: settings.Client{Region: "us-east-1", BaseEndpoint: &server.URL, UsePathStyle: true, Anonymous: true},
		Slots:  1, MaxAttempts: 1, StallTimeout: patience,
	}})
	if err != nil {
		t.Fatal(err)
	}
	o := object{data: data}
	m, job := &memory{}, o.job(100, 800)
	// Three attempts, and each but the last makes headway.
	r, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
	o.want(t, job, m, r, err)
}

// TestLies: wrong bytes that no header gives away are written, and the checksum is theirs.
func TestLies(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 1000)
	c := newClient(t, origin)
	for name, f := range map[string]s3test.Fault{
		"another range under a false name": {ShiftRange: 3, LieRange: true},
		"a flipped bit":                    {Flip: true, FlipAt: 300},
	} {
		t.Run(name, func(t *testing.T) {
			origin.ClearFaults()
			origin.Inject(f)
			m := &memory{}
			r, _, err := c.Get(t.Context(), o.job(100, 500), m, fetch.Observer{})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := r.Sum, checksum.CRC64NVME.Update(0, m.data[100:600]); got != want {
				t.Errorf("got sum %x, want that of the bytes received, %x", got, want)
			}
			if r.Sum == checksum.CRC64NVME.Update(0, o.data[100:600]) {
				t.Error("got the right sum of wrong bytes")
			}
		})
	}
}

// TestRangeOfTheWholeObject: a server may answer such a Range with a 200.
func TestRangeOfTheWholeObject(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 1000)
	origin.Inject(s3test.Fault{IgnoreRange: true})
	m, job := &memory{}, o.job(0, 1000)
	r, _, err := newClient(t, origin).Get(t.Context(), job, m, fetch.Observer{})
	o.want(t, job, m, r, err)
	wantCount(t, origin, 1)
}

// TestObjectChanged: an answer with another version of the object is an error, without a retry.
func TestObjectChanged(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	c := newClient(t, origin)
	overwrite := func(s *s3test.Server, _ s3test.Request) { s.Put("b", "k", s3test.PatternBytes(5, 1000)) }
	for _, f := range []struct {
		name  string
		fault s3test.Fault
		whole bool
	}{
		{name: "overwritten", fault: s3test.Fault{Do: overwrite, Times: 1}},
		{name: "overwritten, whole", fault: s3test.Fault{Do: overwrite, Times: 1}, whole: true},
		{name: "overwritten where If-Match is ignored", fault: s3test.Fault{Do: overwrite, Times: 1, IgnoreIfMatch: true}},
		{name: "another ETag", fault: headers("ETag", `"other"`)},
		{name: "a weak other ETag", fault: headers("ETag", `W/"other"`)},
		{name: "another size", fault: headers("Content-Range", "bytes 100-599/1001")},
		{name: "another size, whole", fault: headers("Content-Length", "999"), whole: true},
		{name: "a smaller object", fault: s3test.Fault{Times: 1, IgnoreIfMatch: true, Do: func(s *s3test.Server, _ s3test.Request) {
			s.Put("b", "k", []byte("short"))
		}}},
	} {
		t.Run(f.name, func(t *testing.T) {
			origin.ClearFaults()
			o := putObject(origin, 1000)
			origin.ResetRequests()
			origin.Inject(f.fault)
			job := o.job(100, 500)
			if f.whole {
				job = o.whole()
			}
			m := &memory{}
			_, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
			wantError(t, err, failure.ErrObjectChanged)
			if errors.Is(err, failure.ErrRetriesExceeded) || m.writes != 0 {
				t.Errorf("got %v and %d writes, want it at once and none", err, m.writes)
			}
			wantCount(t, origin, 1)
		})
	}
	t.Run("between two attempts", func(t *testing.T) {
		for _, ignore := range []bool{false, true} {
			origin.ClearFaults()
			o := putObject(origin, 1000)
			origin.ResetRequests()
			origin.Inject(s3test.Fault{Times: 1, Cut: true, CutAfter: 200})
			origin.Inject(s3test.Fault{Times: 1, Do: overwrite, IgnoreIfMatch: ignore})
			_, _, err := c.Get(t.Context(), o.job(100, 500), &memory{}, fetch.Observer{})
			wantError(t, err, failure.ErrObjectChanged)
			wantRequests(t, origin, "bytes=100-599", "bytes=300-599")
		}
	})
	t.Run("between two attempts at an object without a known ETag", func(t *testing.T) {
		origin.ClearFaults()
		o := putObject(origin, 1000)
		origin.Inject(s3test.Fault{Times: 1, Cut: true, CutAfter: 200})
		origin.Inject(s3test.Fault{Times: 1, Do: overwrite, IgnoreIfMatch: true})
		job := o.whole()
		job.Get.ETag, job.Get.Unconfirmed = "", true
		_, _, err := c.Get(t.Context(), job, &memory{}, fetch.Observer{})
		wantError(t, err, failure.ErrObjectChanged)
	})
}

// TestETags: If-Match has strong ETags only. All are compared with the answer's.
func TestETags(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	c := newClient(t, origin)
	for _, e := range []struct {
		name    string
		put     func(*s3test.Object)
		fault   s3test.Fault
		ifMatch string
	}{
		{name: "strong", put: func(o *s3test.Object) { o.ETag = `"e-2"` }, ifMatch: `"e-2"`},
		{name: "weak", put: func(o *s3test.Object) { o.ETag = `W/"e"` }},
		{name: "none", put: s3test.WithoutETag()},
		{name: "left out of the answer", put: func(o *s3test.Object) { o.ETag = `"e"` }, fault: headers("ETag", ""), ifMatch: `"e"`},
		{name: "without quotes in the answer", put: func(o *s3test.Object) { o.ETag = `"e"` }, fault: headers("ETag", "e"), ifMatch: `"e"`},
		{name: "weak in the answer", put: func(o *s3test.Object) { o.ETag = `"e"` }, fault: headers("ETag", `W/"e"`), ifMatch: `"e"`},
	} {
		t.Run(e.name, func(t *testing.T) {
			origin.ClearFaults()
			o := putObject(origin, 1000, e.put)
			origin.ResetRequests()
			origin.Inject(e.fault)
			m, job := &memory{}, o.job(100, 500)
			r, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
			o.want(t, job, m, r, err)
			if got := origin.Requests()[0].IfMatch; got != e.ifMatch {
				t.Errorf("got If-Match %q, want %q", got, e.ifMatch)
			}
		})
	}
}

// TestExpectedSize: the size that the caller expects is compared with the first answer's.
func TestExpectedSize(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	c := newClient(t, origin)
	for _, real := range []int64{0, 1, 999, 1000, 1001, 5000} {
		for _, whole := range []bool{false, true} {
			t.Run(fmt.Sprintf("size=%d,whole=%v", real, whole), func(t *testing.T) {
				o := putObject(origin, real)
				origin.ResetRequests()
				job := &ipc.Job{Bucket: "b", Key: "k", Get: &ipc.Get{Size: 1000, Length: 1000, Whole: whole, Unconfirmed: true, Expected: true}}
				m, found := &memory{}, 0
				r, _, err := c.Get(t.Context(), job, m, fetch.Observer{Found: func(ipc.Object, *checksum.Stored) { found++ }})
				wantCount(t, origin, 1)
				if real == 1000 {
					o.want(t, job, m, r, err)
					// The Result of a small object follows at once.
					if want := map[bool]int{false: 1, true: 0}[whole]; found != want {
						t.Errorf("Found was called %d times, want %d", found, want)
					}
					return
				}
				wantError(t, err, failure.ErrSizeMismatch)
				if m.writes != 0 || found != 0 {
					t.Errorf("got %d writes and %d calls of Found, want none", m.writes, found)
				}
			})
		}
	}
	t.Run("empty", func(t *testing.T) {
		for _, real := range []int64{0, 1} {
			putObject(origin, real)
			job := &ipc.Job{Bucket: "b", Key: "k", Get: &ipc.Get{Whole: true, Unconfirmed: true, Expected: true}}
			_, _, err := c.Get(t.Context(), job, &memory{}, fetch.Observer{})
			if real == 0 && err != nil || real == 1 && !errors.Is(err, failure.ErrSizeMismatch) {
				t.Errorf("size=%d: got %v", real, err)
			}
		}
	})
}

func TestHead(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	c := newClient(t, origin)
	head := func() (ipc.Object, error) {
		job := &ipc.Job{Bucket: "b", Key: "k", Args: ipc.Args{ChecksumMode: "ENABLED"}, Head: &ipc.Head{}}
		r, err := c.Head(t.Context(), job, nil)
		if err != nil {
			return ipc.Object{}, err
		}
		return r.Object, nil
	}
	for _, size := range []int64{0, 1, 5 << 40} {
		var o *s3test.Object
		if size > 1 {
			o = origin.PutContent("b", "k", size, s3test.Pattern(1))
		} else {
			o = origin.Put("b", "k", s3test.PatternBytes(1, size))
		}
		got, err := head()
		if err != nil || got.Size != size || got.ETag != o.ETag || !got.LastModified.Equal(o.LastModified) || got.Encrypted {
			t.Errorf("size=%d: got %+v, %v", size, got, err)
		}
	}
	origin.ResetRequests()
	origin.Inject(s3test.Fault{Times: 2, Status: 500})
	if _, err := head(); err != nil {
		t.Error(err)
	}
	wantCount(t, origin, 3)
}

// TestLayout: Head finds the boundaries of the parts of an object that only checksums of parts can
// verify, and Parts the exact ones with the checksum of each part.
func TestLayout(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	c := newClient(t, origin)
	data := s3test.PatternBytes(1, 100)
	for _, l := range []struct {
		name  string
		sizes []int64
		fault s3test.Fault
		want  proof.Layout
		exact proof.Layout // where HeadObject is mistaken
	}{
		{name: "uniform", sizes: []int64{40, 40, 20}, want: proof.Layout{Uniform: 40, Size: 100}},
		{name: "not uniform", sizes: []int64{30, 60, 10}, want: proof.Layout{Ends: []int64{30, 90, 100}, Size: 100}},
		{
			name: "seemingly uniform", sizes: []int64{40, 20, 40},
			want: proof.Layout{Uniform: 40, Size: 100}, exact: proof.Layout{Ends: []int64{40, 60, 100}, Size: 100},
		},
		{name: "of one part", sizes: []int64{100}, want: proof.Layout{Uniform: 100, Size: 100}},
		{
			name: "unknown", sizes: []int64{40, 40, 20}, // to a server that knows no part numbers, nor GetObjectAttributes
			fault: s3test.Fault{Status: 501, Match: func(r s3test.Request) bool { return r.PartNumber != "" || r.Query.Has("attributes") }},
		},
	} {
		t.Run(l.name, func(t *testing.T) {
			origin.ClearFaults()
			origin.Put("b", "k", data, s3test.WithParts(l.sizes...), s3test.WithChecksum("sha256", "COMPOSITE"))
			if l.fault.Status != 0 {
				origin.Inject(l.fault)
			}
			job := &ipc.Job{Bucket: "b", Key: "k", Args: ipc.Args{ChecksumMode: "ENABLED"}, Head: &ipc.Head{Layout: true}}
			head, err := c.Head(t.Context(), job, nil)
			if err != nil || !head.Object.Layout.Equal(l.want) {
				t.Fatalf("got %+v, %v, want %+v", head, err, l.want)
			}
			job.Head, job.Parts = nil, &ipc.Parts{ETag: head.Object.ETag, Size: head.Object.Size}
			parts, err := c.Parts(t.Context(), job, nil)
			if !l.want.Known() {
				if err == nil {
					t.Errorf("got %+v, want an error", parts)
				}
				return
			}
			if l.exact.Known() {
				l.want = l.exact
			}
			if err != nil || !parts.Layout.Equal(l.want) || len(parts.Parts) != len(l.sizes) {
				t.Fatalf("got %+v, %v, want %+v and %d checksums", parts, err, l.want, len(l.sizes))
			}
			for i, sum := range parts.Parts {
				start, end := parts.Layout.Part(i)
				h := checksum.SHA256.New()
				h.Write(data[start:end])
				if stored, ok := checksum.Parse(sum.Algorithm, "FULL_OBJECT", sum.Value); !ok || !stored.MatchDigest(h.Sum(nil)) {
					t.Errorf("part %d: got %+v", i+1, sum)
				}
			}
		})
	}
}
