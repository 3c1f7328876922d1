package worker

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// connected returns a server, and the pool's end of its socket.
func connected(t testing.TB) (*server, *ipc.Conn) {
	t.Helper()
	if !ipc.Available {
		t.Skip("no workers on this platform")
	}
	ours, theirs, err := ipc.Pair()
	if err != nil {
		t.Fatal(err)
	}
	var conns []*ipc.Conn
	for _, end := range []ipc.End{ours, theirs} {
		c, err := ipc.NewConn(end)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		// Only a test that hangs takes as long.
		c.SetReadDeadline(time.Now().Add(2 * time.Minute))
		c.SetWriteDeadline(time.Now().Add(2 * time.Minute))
		conns = append(conns, c)
	}
	return &server{conn: conns[1]}, conns[0]
}

// finished finishes a job with a result, and returns what arrives: the Result, with the entries that
// came ahead, and the number of frames.
func finished(t testing.TB, result *ipc.Result) (*ipc.Result, int) {
	t.Helper()
	s, pool := connected(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.finish(result, &requests{})
	}()
	defer func() { <-ended }()
	var entries []ipc.Entry
	for frames := 1; ; frames++ {
		m, _, err := pool.Receive()
		if err != nil {
			t.Fatalf("got %v, want a Result", err)
		}
		switch m := m.(type) {
		case *ipc.Listed:
			entries = append(entries, m.Entries...)
		case *ipc.Result:
			if m.List != nil {
				m.List.Entries = append(entries, m.List.Entries...)
			}
			return m, frames
		default:
			t.Fatalf("got a %T", m)
		}
	}
}

func listing(n int, size int) *ipc.Page {
	page := &ipc.Page{Next: "next"}
	for i := range n {
		key := bytes.Repeat([]byte("k"), size)
		copy(key, fmt.Sprint(i))
		page.Entries = append(page.Entries, ipc.Entry{Key: key})
	}
	return page
}

// TestFinishPage: a page of any size arrives whole and in order, a small one in a single frame.
func TestFinishPage(t *testing.T) {
	leak.Check(t)
	for _, c := range []struct {
		n, size, atLeast, atMost int
	}{
		{0, 0, 1, 1},
		{1, 1, 1, 1},
		{1000, 300, 1, 1},
		{1000, 1024, 2, 2},
		{80_000, 240, 25, 60},
		{3, 2 << 20, 3, 3},
		{1, 11 << 20, 1, 1},
	} {
		page := listing(c.n, c.size)
		want := page.Entries
		r, frames := finished(t, &ipc.Result{ID: 7, List: page})
		if r.ID != 7 || r.Err != nil || r.List == nil || r.List.Next != "next" || len(r.List.Entries) != c.n {
			t.Fatalf("%d keys of %d bytes: got %+v", c.n, c.size, r.Err)
		}
		if frames < c.atLeast || frames > c.atMost {
			t.Errorf("%d keys of %d bytes: got %d frames, want %d to %d", c.n, c.size, frames, c.atLeast, c.atMost)
		}
		for i, e := range r.List.Entries {
			if !bytes.Equal(e.Key, want[i].Key) {
				t.Fatalf("%d keys of %d bytes: got key %.40q at %d, want %.40q", c.n, c.size, e.Key, i, want[i].Key)
			}
		}
	}
}

// TestFinishUnsendable: a result that has no frame is replaced by the error that says so.
func TestFinishUnsendable(t *testing.T) {
	leak.Check(t)
	huge := strings.Repeat("x", ipc.MaxFrame)
	late := time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		result *ipc.Result
		want   string
	}{
		"object":   {&ipc.Result{Head: &ipc.HeadResult{Object: ipc.Object{ETag: huge}}}, "Result of HeadObject"},
		"get":      {&ipc.Result{Get: &ipc.GetResult{Object: ipc.Object{VersionID: huge}}}, "Result of GetObject"},
		"token":    {&ipc.Result{List: &ipc.Page{Next: huge}}, "Result of ListObjectsV2"},
		"key":      {&ipc.Result{List: listing(1, ipc.MaxFrame)}, "Result of ListObjectsV2"},
		"keys":     {&ipc.Result{List: listing(2, ipc.MaxFrame)}, "Listed"},
		"time":     {&ipc.Result{Head: &ipc.HeadResult{Object: ipc.Object{LastModified: late}}}, "year outside of range"},
		"no frame": {&ipc.Result{Err: &failure.Wire{Text: huge}}, "Result"},
	} {
		c.result.ID = 7
		r, _ := finished(t, c.result)
		if r.ID != 7 || r.Err == nil || !strings.Contains(r.Err.Text, "cannot send "+c.want) && !strings.Contains(r.Err.Text, c.want) {
			t.Errorf("%s: got %+v, want an error with %q", name, r, c.want)
		}
		if name != "time" && !strings.Contains(r.Err.Text, "over the limit of ") {
			t.Errorf("%s: got %q, want the limit", name, r.Err.Text)
		}
	}
}

// FuzzFinish: a page is whole, or its job has an error, whatever the sizes of its keys.
func FuzzFinish(f *testing.F) {
	f.Add(uint16(0), uint32(0), uint32(0))
	f.Add(uint16(5), uint32(ipc.MaxFrame/4*3-200), uint32(1))
	f.Add(uint16(5), uint32(ipc.MaxFrame/4*3), uint32(1))
	f.Add(uint16(3000), uint32(listedSize), uint32(700))
	f.Fuzz(func(t *testing.T, n uint16, first, size uint32) {
		page := listing(int(n%5000), int(size%1000)+10)
		page.Entries = append(page.Entries, ipc.Entry{Key: make([]byte, first%(ipc.MaxFrame+100))})
		want := len(page.Entries)
		r, _ := finished(t, &ipc.Result{ID: 7, List: page})
		if (r.Err == nil) != (r.List != nil) {
			t.Fatalf("got %+v", r)
		}
		if r.Err == nil && len(r.List.Entries) != want {
			t.Errorf("got %d entries, want %d", len(r.List.Entries), want)
		}
		if fits := first%(ipc.MaxFrame+100) < ipc.MaxFrame/4*3-500; fits && r.Err != nil {
			t.Errorf("a key of %d bytes: got %s", first, r.Err.Text)
		}
	})
}

// TestBrokenSocket: after a Send that failed half-way nothing can be said any more, and the worker
// ends.
func TestBrokenSocket(t *testing.T) {
	leak.Check(t)
	s, _ := connected(t)
	s.conn.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	served := make(chan error, 1)
	go func() { served <- s.serve() }()
	s.finish(&ipc.Result{ID: 1, List: listing(40, 100_000)}, &requests{}) // nobody receives it
	err := <-served
	if err == nil || !strings.Contains(err.Error(), "the pool is gone: ") || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want the reason", err)
	}
}

// An ETag or a version that no S3 has is an error of its job: the pool would hold it against the worker.
func TestTooLong(t *testing.T) {
	long := strings.Repeat("x", failure.MaxText+1)
	for _, c := range []struct {
		m    ipc.Message
		want string
	}{
		{&ipc.Found{Object: ipc.Object{ETag: long}}, "cannot send Found: its ETag of 4097 bytes"},
		{&ipc.Result{Head: &ipc.HeadResult{Object: ipc.Object{VersionID: long}}}, "cannot send Result of HeadObject: "},
		{&ipc.Result{Get: &ipc.GetResult{Object: ipc.Object{ETag: long}}}, "cannot send Result of GetObject: "},
		{&ipc.Result{Get: &ipc.GetResult{Object: ipc.Object{ETag: long[1:]}}}, ""},
		{&ipc.Result{List: &ipc.Page{Next: long}}, ""},
	} {
		if err := tooLong(c.m); (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%T: got %v, want %q", c.m, err, c.want)
		}
	}
}
