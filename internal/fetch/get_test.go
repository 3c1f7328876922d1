package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/fetch"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// TestResume cuts a body after a number of bytes: they are kept, and the next attempt asks for the
// rest. With a FIN all bytes before it arrive; a RST may overtake some.
func TestResume(t *testing.T) {
	leak.Check(t)
	const offset, length = 11, 2*mib + 100
	fin := []int{0, 1, 4096, 16*kib - 1, mib / 2, mib - 1, mib, mib + 1, 2 * mib, length - 1, length}
	for _, tls := range []bool{false, true} {
		origin := startOrigin(t, func(o *s3test.Options) { o.TLS = tls })
		o := putObject(origin, 3*mib)
		c := newClient(t, origin)
		resume := func(cut int, reset bool) {
			t.Run(fmt.Sprintf("tls=%v,cut=%d,reset=%v", tls, cut, reset), func(t *testing.T) {
				origin.ClearFaults()
				origin.ResetRequests()
				origin.Inject(s3test.Fault{Times: 1, Cut: true, CutAfter: int64(cut), Reset: reset})
				m, job := &memory{}, o.job(offset, length)
				r, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
				o.want(t, job, m, r, err)
				want := []string{"bytes=11-2097262", fmt.Sprintf("bytes=%d-2097262", offset+cut)}
				if cut == length {
					want = want[:1]
				}
				if !reset {
					wantRequests(t, origin, want...)
				}
			})
		}
		if tls {
			fin = []int{0, 16*kib - 1, mib, length - 1}
		}
		for _, cut := range fin {
			resume(cut, false)
		}
		for _, cut := range []int{1, mib + 1} {
			resume(cut, true)
		}
	}
}

// TestResumeDigest: a digest that does not combine is continued after a break, too.
func TestResumeDigest(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 2*mib)
	c := newClient(t, origin)
	for _, algorithm := range []checksum.Algorithm{checksum.SHA256, checksum.MD5, checksum.CRC32, ""} {
		t.Run(string(algorithm), func(t *testing.T) {
			origin.ClearFaults()
			origin.Inject(s3test.Fault{Times: 3, Cut: true, CutAfter: 400_001})
			m, job := &memory{}, o.job(0, 2*mib)
			job.Get.Checksum = algorithm
			r, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
			o.want(t, job, m, r, err)
		})
	}
}

// TestResumeWholeObject: once bytes have arrived a request has a Range, and as If-Match the ETag of
// the first answer.
func TestResumeWholeObject(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, mib+5)
	origin.Inject(s3test.Fault{Times: 1, Cut: true, CutAfter: 0})
	origin.Inject(s3test.Fault{Times: 1, Cut: true, CutAfter: 1000})
	m, job := &memory{}, o.whole()
	job.Get.ETag, job.Get.Unconfirmed = "", true
	found := 0
	r, _, err := newClient(t, origin).Get(t.Context(), job, m, fetch.Observer{Found: func(object ipc.Object, _ *checksum.Stored) {
		if found++; object.ETag != o.etag || object.Size != mib+5 {
			t.Errorf("found %+v", object)
		}
	}})
	o.want(t, job, m, r, err)
	wantRequests(t, origin, "", "", "bytes=1000-1048580")
	if requests := origin.Requests(); requests[0].IfMatch != "" || requests[2].IfMatch != o.etag {
		t.Errorf("got If-Match %q, then %q, want none, then %q", requests[0].IfMatch, requests[2].IfMatch, o.etag)
	}
	if found != 1 {
		t.Errorf("Found was called %d times, want once", found)
	}
}

// TestHeadwayResetsTheCount: MaxAttempts counts attempts in a row without headway, whereas the
// number reported is that of the attempt.
func TestHeadwayResetsTheCount(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 10_000)
	origin.Inject(s3test.Fault{Times: 2, Status: 500})
	origin.Inject(s3test.Fault{Times: 1, Cut: true, CutAfter: 1000})
	origin.Inject(s3test.Fault{Times: 2, Cut: true, CutAfter: 0})
	origin.Inject(s3test.Fault{Times: 5, Cut: true, CutAfter: 1000})
	origin.Inject(s3test.Fault{Times: 2, Status: 500})
	m, job := &memory{}, o.job(0, 10_000)
	var reported []int
	r, _, err := newClient(t, origin).Get(t.Context(), job, m, fetch.Observer{Retrying: func(attempt int, wait time.Duration, err error) {
		if wait <= 0 || err == nil {
			t.Errorf("got a wait of %v after %v", wait, err)
		}
		reported = append(reported, attempt)
	}})
	o.want(t, job, m, r, err)
	wantCount(t, origin, 13)
	if want := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}; !slices.Equal(reported, want) {
		t.Errorf("got attempts %v, want %v", reported, want)
	}
}

func TestMaxAttempts(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 1000)
	for _, c := range []struct {
		name  string
		fault s3test.Fault
		text  string
	}{
		{"500", s3test.Fault{Status: 500}, "InternalError"},
		{"cut before the answer", s3test.Fault{Cut: true, CutAfter: -1}, ""},
		{"cut before the body", s3test.Fault{Method: "GET", Cut: true}, "EOF"},
		{"another range", s3test.Fault{Method: "GET", ShiftRange: 1}, "unexpected answer"},
	} {
		for _, n := range []int{1, 2, 3} {
			t.Run(fmt.Sprintf("%s,MaxAttempts=%d", c.name, n), func(t *testing.T) {
				origin.ClearFaults()
				origin.ResetRequests()
				origin.Inject(c.fault)
				client := newClient(t, origin, attempts(n))
				m := &memory{}
				_, _, err := client.Get(t.Context(), o.job(100, 500), m, fetch.Observer{})
				wantError(t, err, failure.ErrRetriesExceeded)
				plural := "s"
				if n == 1 {
					plural = ""
				}
				if text := fmt.Sprintf("after %d attempt%s without headway", n, plural); !strings.Contains(fmt.Sprint(err), text) || !strings.Contains(fmt.Sprint(err), c.text) {
					t.Errorf("got %v, want %q and %q", err, text, c.text)
				}
				if m.writes != 0 {
					t.Errorf("got %d writes, want none", m.writes)
				}
				if c.fault.Method == "" {
					_, err := client.Head(t.Context(), &ipc.Job{Bucket: "b", Key: "k", Head: &ipc.Head{}}, nil)
					wantError(t, err, failure.ErrRetriesExceeded)
					n *= 2
				}
				wantCount(t, origin, n)
			})
		}
	}
}

// TestFinalErrors: an error that is not retryable is tried once.
func TestFinalErrors(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 1000)
	for _, c := range []struct {
		name  string
		fault s3test.Fault
		is    error
		code  string
	}{
		{"403", s3test.Fault{Status: 403}, nil, "AccessDenied"},
		{"404", s3test.Fault{Status: 404}, nil, "NoSuchKey"},
		{"400", s3test.Fault{Status: 400}, nil, "InvalidRequest"},
		{"501", s3test.Fault{Status: 501}, nil, "501"},
		{"412", s3test.Fault{Status: 412}, failure.ErrObjectChanged, "PreconditionFailed"},
		{"416", s3test.Fault{Status: 416}, failure.ErrObjectChanged, "InvalidRange"},
	} {
		t.Run(c.name, func(t *testing.T) {
			origin.ClearFaults()
			origin.ResetRequests()
			origin.Inject(c.fault)
			_, _, err := newClient(t, origin).Get(t.Context(), o.job(100, 500), &memory{}, fetch.Observer{})
			if c.is != nil {
				wantError(t, err, c.is)
			}
			if !strings.Contains(fmt.Sprint(err), c.code) || errors.Is(err, failure.ErrRetriesExceeded) {
				t.Errorf("got %v, want %s at once", err, c.code)
			}
			wantCount(t, origin, 1)
		})
	}
}

// TestWriteFails: an error of the file system is not retried, whichever write it is, and the bytes
// before it stay.
func TestWriteFails(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 3*mib)
	c := newClient(t, origin)
	for failAt := 1; ; failAt++ {
		origin.ResetRequests()
		m := &memory{failAt: failAt, err: &fs.PathError{Op: "write", Path: "file", Err: syscall.ENOSPC}}
		job := o.job(0, 3*mib)
		r, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
		if m.writes < failAt {
			o.want(t, job, m, r, err)
			if failAt == 1 {
				t.Error("nothing was ever written")
			}
			break
		}
		wantError(t, err, syscall.ENOSPC)
		if local, ok := errors.AsType[*failure.Local](err); !ok || failure.Retryable(err) {
			t.Errorf("failAt=%d: got %v (%v), want an error that is this machine's", failAt, err, local)
		}
		wantCount(t, origin, 1)
		if !slices.Equal(m.data, o.data[:len(m.data)]) {
			t.Errorf("failAt=%d: what was written before differs", failAt)
		}
	}
}

// TestProgress: Progress is called after each write, with bytes that are in the file.
func TestProgress(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 3*mib+1)
	origin.Inject(s3test.Fault{Times: 1, Cut: true, CutAfter: mib + 5})
	m, job := &memory{}, o.job(2, 3*mib-1)
	var last int64
	r, _, err := newClient(t, origin).Get(t.Context(), job, m, fetch.Observer{Progress: func(written, length int64, sums *checksum.Sums) {
		if length != 3*mib-1 {
			t.Errorf("got a range of %d bytes, want %d", length, 3*mib-1)
		}
		if written <= last || int64(len(m.data)) < 2+written {
			t.Errorf("got %d bytes after %d, with %d in the file", written, last, len(m.data))
		}
		if want := checksum.CRC64NVME.Update(0, o.data[2:2+written]); sums.Proof != want {
			t.Errorf("written=%d: got sum %x, want %x", written, sums.Proof, want)
		}
		last = written
	}})
	o.want(t, job, m, r, err)
	if last != job.Get.Length {
		t.Errorf("the last call had %d bytes, want %d", last, job.Get.Length)
	}
}

func TestStall(t *testing.T) {
	leak.Check(t)
	for _, tls := range []bool{false, true} {
		origin := startOrigin(t, func(o *s3test.Options) { o.TLS = tls })
		o := putObject(origin, 2*mib)
		c := newClient(t, origin, attempts(2), stall(50*time.Millisecond))
		for name, fault := range map[string]s3test.Fault{
			"before the headers": {Gate: make(chan struct{})},
			"before the body":    {Stall: true},
		} {
			t.Run(fmt.Sprintf("tls=%v,%s", tls, name), func(t *testing.T) {
				origin.ClearFaults()
				origin.ResetRequests()
				origin.Inject(fault)
				_, _, err := c.Get(t.Context(), o.job(0, 2*mib), &memory{}, fetch.Observer{})
				wantError(t, err, failure.ErrStalled, failure.ErrRetriesExceeded)
				if errors.Is(err, context.Canceled) {
					t.Errorf("got %v, which is context.Canceled", err)
				}
				wantCount(t, origin, 2)
			})
		}
		// Bytes that arrived before the stall are kept, and are headway.
		t.Run(fmt.Sprintf("tls=%v,with headway", tls), func(t *testing.T) {
			t.Parallel()
			origin.ClearFaults()
			origin.ResetRequests()
			origin.Inject(s3test.Fault{Times: 3, Stall: true, StallAfter: 500_000})
			m, job := &memory{}, o.job(0, 2*mib)
			r, _, err := newClient(t, origin, attempts(2), stall(300*time.Millisecond)).Get(t.Context(), job, m, fetch.Observer{})
			o.want(t, job, m, r, err)
			wantRequests(t, origin, "bytes=0-2097151", "bytes=500000-2097151", "bytes=1000000-2097151", "bytes=1500000-2097151")
		})
	}
	origin := startOrigin(t)
	origin.Inject(s3test.Fault{Gate: make(chan struct{})})
	_, err := newClient(t, origin, attempts(1), stall(50*time.Millisecond)).Head(t.Context(), &ipc.Job{Bucket: "b", Key: "k", Head: &ipc.Head{}}, nil)
	wantError(t, err, failure.ErrStalled, failure.ErrRetriesExceeded)
}

// TestSlowIsNotStalled: small pieces with pauses shorter than StallTimeout do not end an attempt
// that takes longer.
func TestSlowIsNotStalled(t *testing.T) {
	leak.Check(t)
	for _, tls := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", tls), func(t *testing.T) {
			t.Parallel()
			origin := startOrigin(t, func(o *s3test.Options) { o.TLS = tls })
			o := putObject(origin, 150*kib)
			origin.Inject(s3test.Fault{Trickle: 100 * time.Millisecond, TrickleBytes: 10 * kib})
			m, job := &memory{}, o.job(0, 150*kib)
			r, _, err := newClient(t, origin, stall(time.Second)).Get(t.Context(), job, m, fetch.Observer{})
			o.want(t, job, m, r, err)
			wantCount(t, origin, 1)
		})
	}
}

func TestCancel(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 3*mib)
	for name, fault := range map[string]s3test.Fault{
		"before the headers": {Gate: make(chan struct{})},
		"before the body":    {Stall: true},
		"in the body":        {Stall: true, StallAfter: mib + 100},
		"in a pause":         {Status: 503, RetryAfter: "20"},
	} {
		t.Run(name, func(t *testing.T) {
			origin.ClearFaults()
			origin.ResetRequests()
			origin.Inject(fault)
			ctx, cancel := context.WithCancelCause(t.Context())
			c := newClient(t, origin)
			ended := make(chan error, 1)
			pausing := make(chan struct{}, 1)
			go func() {
				_, _, err := c.Get(ctx, o.job(0, 3*mib), &memory{}, fetch.Observer{Retrying: func(int, time.Duration, error) { pausing <- struct{}{} }})
				ended <- err
			}()
			if err := origin.WaitRequests(ctx, 1, nil); err != nil {
				t.Fatal(err)
			}
			if name == "in a pause" {
				<-pausing
			}
			cancel(failure.ErrCanceled)
			select {
			case err := <-ended:
				wantError(t, err, failure.ErrCanceled)
			case <-time.After(patience):
				t.Fatal("Get does not return")
			}
			wantCount(t, origin, 1)
		})
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(failure.ErrCanceled)
	origin.ResetRequests()
	_, _, err := newClient(t, origin).Get(ctx, o.job(0, 5), &memory{}, fetch.Observer{})
	wantError(t, err, failure.ErrCanceled)
	wantCount(t, origin, 0)
}

func TestExpiredCredentials(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 10)
	origin.SetCredentials("AKID", "secret", "old")
	origin.SetCredentials("AKID", "secret", "new")
	k := &keys{access: "AKID", secret: "secret", token: "old", next: func(k *keys) { k.token = "new" }}
	m, job := &memory{}, o.job(0, 10)
	r, _, err := newClientWith(t, origin, k).Get(t.Context(), job, m, fetch.Observer{})
	o.want(t, job, m, r, err)
	wantCount(t, origin, 2)
	if n := k.refreshed.Load(); n != 1 {
		t.Errorf("got %d refreshments, want 1", n)
	}

	origin.ResetRequests()
	stale := &keys{access: "AKID", secret: "secret", token: "old"}
	_, _, err = newClientWith(t, origin, stale).Get(t.Context(), o.job(0, 10), &memory{}, fetch.Observer{})
	wantError(t, err, failure.ErrRetriesExceeded)
	wantCount(t, origin, 3)
	if !strings.Contains(fmt.Sprint(err), "ExpiredToken") {
		t.Errorf("got %v", err)
	}

	origin.ResetRequests()
	none := &keys{err: errors.New("no role to assume")}
	_, _, err = newClientWith(t, origin, none).Get(t.Context(), o.job(0, 10), &memory{}, fetch.Observer{})
	wantError(t, err, none.err)
	wantCount(t, origin, 0)
}

// TestClockSkew: requests are signed with the time of S3's clock.
func TestClockSkew(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 10)
	ahead := time.Now().Add(time.Hour).UTC()
	origin.Inject(s3test.Fault{Times: 1, Status: 403, Code: "RequestTimeTooSkewed", Header: map[string]string{"Date": ahead.Format("Mon, 02 Jan 2006 15:04:05 GMT")}})
	m, job := &memory{}, o.job(0, 10)
	r, _, err := newClient(t, origin).Get(t.Context(), job, m, fetch.Observer{})
	o.want(t, job, m, r, err)
	if requests := origin.Requests(); len(requests) == 2 {
		signed, err := time.Parse("20060102T150405Z", requests[1].Header.Get("X-Amz-Date"))
		if err != nil || signed.Sub(ahead).Abs() > time.Minute {
			t.Errorf("got the second request signed at %v (%v), want about %v", signed, err, ahead)
		}
	}
}

// TestRegion: a request for a bucket in another region is repeated there at once, and the next goes
// there directly.
func TestRegion(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 10)
	origin.Inject(s3test.Fault{Redirect: "eu-west-1", Match: func(r s3test.Request) bool {
		return !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/")
	}})
	c := newClient(t, origin)
	for range 2 {
		m, job := &memory{}, o.job(0, 10)
		r, _, err := c.Get(t.Context(), job, m, fetch.Observer{})
		o.want(t, job, m, r, err)
	}
	wantCount(t, origin, 3)
}
