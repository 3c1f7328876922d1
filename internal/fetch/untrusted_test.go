package fetch_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/fetch"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// TestAnotherVersion: an answer that names another version than the one asked for is not used.
func TestAnotherVersion(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	origin.SetVersioning("b", true)
	o := putObject(origin, 1000)
	version := origin.Put("b", "k", o.data).VersionID
	c := newClient(t, origin, attempts(2))
	args := ipc.Args{VersionID: version}
	head := headJob()
	head.Args = args
	get := o.job(100, 500)
	get.Args = args
	parts := &ipc.Job{Bucket: "b", Key: "k", Args: args, Parts: &ipc.Parts{ETag: o.etag, Size: 1000}}
	ask := map[string]func() error{
		"HeadObject": func() error { _, err := c.Head(t.Context(), head, nil); return err },
		"GetObject":  func() error { _, _, err := c.Get(t.Context(), get, &memory{}, fetch.Observer{}); return err },
	}
	for name, ask := range ask {
		origin.ClearFaults()
		f := headers("X-Amz-Version-Id", "another")
		f.Times = 1
		origin.Inject(f)
		if err := ask(); err != nil {
			t.Errorf("%s, once: got %v", name, err)
		}
		f.Times = 0
		origin.Inject(f)
		wantError(t, ask(), failure.ErrUnexpected, failure.ErrRetriesExceeded)
	}
	origin.ClearFaults()
	origin.Inject(headers("X-Amz-Version-Id", "another"))
	_, err := c.Parts(t.Context(), parts, nil)
	wantError(t, err, failure.ErrUnexpected)
}

// TestSizeZero: an answer with bytes to a Get of an empty object contradicts itself, if the ETag is
// the same, and is of another version, if it is not.
func TestSizeZero(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	c := newClient(t, origin, attempts(2))
	for _, whole := range []bool{false, true} {
		job := func(o object) *ipc.Job {
			return &ipc.Job{Bucket: "b", Key: "k", Get: &ipc.Get{ETag: o.etag, Whole: whole, Checksum: checksum.CRC32}}
		}
		origin.ClearFaults()
		o := putObject(origin, 0)
		origin.ResetRequests()
		if r, _, err := c.Get(t.Context(), job(o), &memory{}, fetch.Observer{}); err != nil || r.Written != 0 || r.Object.Size != 0 {
			t.Errorf("empty: got %+v, %v", r, err)
		}
		wantRequests(t, origin, "")

		m := &memory{}
		o = putObject(origin, 26)
		_, _, err := c.Get(t.Context(), job(o), m, fetch.Observer{})
		wantError(t, err, failure.ErrUnexpected, failure.ErrRetriesExceeded)
		if errors.Is(err, failure.ErrObjectChanged) || !strings.Contains(err.Error(), "0 bytes") || !strings.Contains(err.Error(), " 26") {
			t.Errorf("got %v, want both sizes in it", err)
		}
		origin.Inject(headers("Content-Length", ""))
		_, _, err = c.Get(t.Context(), job(o), m, fetch.Observer{})
		wantError(t, err, failure.ErrUnexpected, failure.ErrRetriesExceeded)
		if m.writes != 0 {
			t.Errorf("got %d writes, want none", m.writes)
		}

		for _, ignore := range []bool{false, true} {
			origin.ClearFaults()
			o = putObject(origin, 0)
			putObject(origin, 26)
			origin.Inject(s3test.Fault{IgnoreIfMatch: ignore})
			_, _, err = c.Get(t.Context(), job(o), m, fetch.Observer{})
			wantError(t, err, failure.ErrObjectChanged)
		}
	}
	t.Run("an ETag of two parts", func(t *testing.T) {
		origin.ClearFaults()
		o := putObject(origin, 0, func(o *s3test.Object) { o.ETag = `"0123456789abcdef0123456789abcdef-2"` })
		_, err := c.Head(t.Context(), headJob(), nil)
		wantError(t, err, failure.ErrUnexpected, failure.ErrRetriesExceeded)
		unknown := &ipc.Job{Bucket: "b", Key: "k", Get: &ipc.Get{
			ETag: o.etag, Size: ipc.SizeUnknown, Length: ipc.SizeUnknown, Whole: true, Unconfirmed: true, Limit: 10,
		}}
		_, _, err = c.Get(t.Context(), unknown, &memory{}, fetch.Observer{})
		wantError(t, err, failure.ErrUnexpected, failure.ErrRetriesExceeded)
	})
}

// TestRegionOfTwo: two requests at once meet the same redirect to another region, and both are
// repeated there.
func TestRegionOfTwo(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 1000)
	c := newClient(t, origin)
	both := make(chan struct{})
	origin.Inject(s3test.Fault{Redirect: "eu-west-1", Gate: both, Times: 2})
	ended := make(chan error, 2)
	for range 2 {
		go func() {
			_, _, err := c.Get(t.Context(), o.job(0, 500), &memory{}, fetch.Observer{})
			ended <- err
		}()
	}
	if err := origin.WaitRequests(t.Context(), 2, nil); err != nil {
		t.Fatal(err)
	}
	close(both)
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
