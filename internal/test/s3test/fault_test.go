package s3test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func ranged(r string) func(*s3.GetObjectInput) {
	return func(in *s3.GetObjectInput) { in.Range = &r }
}

func TestFaultStatus(t *testing.T) {
	s := start(t)
	s.Put("b", "k", []byte("x"))
	f := s.Inject(Fault{Method: "GET", Key: "k", Status: 503, RetryAfter: "3", Skip: 1, Times: 2})
	g := s.Inject(Fault{Range: "bytes=0-0", Redirect: "eu-west-1"})
	h := s.Inject(Fault{Match: func(r Request) bool { return r.Key == "other" }, Status: 400, Code: "Strange", Message: "so strange"})

	for i, want := range []int{200, 503, 503, 200} {
		resp, body := send(t, s, "GET", "/b/k")
		if resp.StatusCode != want {
			t.Errorf("request %d: got status %d, want %d", i, resp.StatusCode, want)
		}
		if want == 503 && (resp.Header.Get("Retry-After") != "3" || !strings.Contains(string(body), "<Code>SlowDown</Code>")) {
			t.Errorf("request %d: got Retry-After %q, body %s", i, resp.Header.Get("Retry-After"), body)
		}
	}
	_, _, err := get(s, ranged("bytes=0-0"))
	wantError(t, err, 301, "PermanentRedirect")
	resp, _ := send(t, s, "HEAD", "/b/k", "Range", "bytes=0-0")
	if resp.StatusCode != 301 || resp.Header.Get("X-Amz-Bucket-Region") != "eu-west-1" {
		t.Errorf("got status %d, region %q", resp.StatusCode, resp.Header.Get("X-Amz-Bucket-Region"))
	}
	if _, body := send(t, s, "GET", "/b/other"); !strings.Contains(string(body), "<Code>Strange</Code><Message>so strange</Message>") {
		t.Errorf("got body %s", body)
	}
	if f.Hits() != 2 || g.Hits() != 2 || h.Hits() != 1 {
		t.Errorf("got hits %d, %d, %d, want 2, 2, 1", f.Hits(), g.Hits(), h.Hits())
	}
	s.ClearFaults()
	if resp, _ := send(t, s, "GET", "/b/k", "Range", "bytes=0-0"); resp.StatusCode != 206 {
		t.Errorf("after ClearFaults: got status %d, want 206", resp.StatusCode)
	}
}

func TestFaultRanges(t *testing.T) {
	s := start(t)
	s.Put("b", "k", []byte("0123456789"))
	for _, c := range []struct {
		name         string
		f            Fault
		status       int
		contentRange string
		body         string
	}{
		{"ignored", Fault{IgnoreRange: true}, 200, "", "0123456789"},
		{"short", Fault{ShortBody: 2}, 206, "bytes 3-4/10", "34"},
		{"shifted", Fault{ShiftRange: 2}, 206, "bytes 5-7/10", "567"},
		{"lied", Fault{ShiftRange: 2, LieRange: true}, 206, "bytes 3-5/10", "567"},
		{"long", Fault{ExtraBytes: 2}, 206, "bytes 3-5/10", "34567"},
		{"past the end", Fault{ExtraBytes: 6}, 206, "bytes 3-5/10", "3456789\x00\x00"},
		{"flipped", Fault{Flip: true, FlipAt: 4}, 206, "bytes 3-5/10", "355"},
		{"flipped elsewhere", Fault{Flip: true, FlipAt: 6}, 206, "bytes 3-5/10", "345"},
		{"status", Fault{Status: 200}, 200, "bytes 3-5/10", "345"},
		{"no header", Fault{Header: map[string]string{"Content-Range": ""}}, 206, "", "345"},
		{"other header", Fault{Header: map[string]string{"content-range": "x"}}, 206, "x", "345"},
		{"small Content-Length", Fault{Header: map[string]string{"Content-Length": "2"}}, 206, "bytes 3-5/10", "34"},
		{"no Content-Length", Fault{Header: map[string]string{"Content-Length": ""}}, 206, "bytes 3-5/10", "345"},
		{"trickle", Fault{Trickle: time.Millisecond, TrickleBytes: 1}, 206, "bytes 3-5/10", "345"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.ClearFaults()
			s.Inject(c.f)
			resp, body := send(t, s, "GET", "/b/k", "Range", "bytes=3-5")
			if resp.StatusCode != c.status || resp.Header.Get("Content-Range") != c.contentRange || string(body) != c.body {
				t.Errorf("got %d %q %q, want %d %q %q", resp.StatusCode, resp.Header.Get("Content-Range"), body,
					c.status, c.contentRange, c.body)
			}
			if want := int64(len(c.body)); resp.ContentLength != want && c.name != "no Content-Length" {
				t.Errorf("got Content-Length %d, want %d", resp.ContentLength, want)
			}
		})
	}
	s.ClearFaults()
	s.Inject(Fault{IgnoreIfMatch: true})
	if resp, _ := send(t, s, "GET", "/b/k", "If-Match", `"x"`); resp.StatusCode != 200 {
		t.Errorf("IgnoreIfMatch: got status %d, want 200", resp.StatusCode)
	}
}

func TestFaultBody(t *testing.T) {
	s := start(t)
	s.Put("b", "k", []byte("0123456789"))
	page := "<html></html>"
	for status, want := range map[int]int{0: 200, 502: 502} {
		s.ClearFaults()
		s.Inject(Fault{Body: &page, Status: status})
		resp, body := send(t, s, "GET", "/b/k")
		if resp.StatusCode != want || string(body) != page || resp.Header.Get("ETag") != "" {
			t.Errorf("Status %d: got %d %q", status, resp.StatusCode, body)
		}
		if resp, body := send(t, s, "HEAD", "/b/k"); resp.StatusCode != want || len(body) > 0 {
			t.Errorf("Status %d, HEAD: got %d %q", status, resp.StatusCode, body)
		}
	}
}

func TestFaultCut(t *testing.T) {
	for _, tls := range []bool{false, true} {
		s := start(t, func(o *Options) { o.TLS = tls })
		data := PatternBytes(1, 3<<20)
		s.Put("b", "k", data)
		for _, after := range []int64{0, 1, 4096, 1<<20 + 1} {
			s.ClearFaults()
			s.Inject(Fault{Cut: true, CutAfter: after})
			_, body, err := get(s)
			if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.Equal(body, data[:after]) {
				t.Errorf("tls=%v after=%d: got %d bytes, error %v", tls, after, len(body), err)
			}
			s.ClearFaults()
			s.Inject(Fault{Cut: true, CutAfter: after, Reset: true})
			_, body, err = get(s)
			if err == nil || int64(len(body)) > after {
				t.Errorf("tls=%v after=%d reset: got %d bytes, error %v", tls, after, len(body), err)
			}
		}
		s.ClearFaults()
		s.Inject(Fault{Cut: true, CutAfter: -1})
		if _, _, err := get(s); !errors.Is(err, io.EOF) {
			t.Errorf("tls=%v before the headers: got error %v, want EOF", tls, err)
		}
		s.ClearFaults()
		s.Inject(Fault{Cut: true, CutAfter: -1, Reset: true})
		if _, _, err := get(s); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("tls=%v reset before the headers: got error %v, want ECONNRESET", tls, err)
		}
	}
}

func TestFaultWaits(t *testing.T) {
	gate := make(chan struct{})
	for name, f := range map[string]Fault{
		"delay": {Delay: time.Hour},
		"gate":  {Gate: gate},
		"stall": {Stall: true, StallAfter: 5},
	} {
		t.Run(name, func(t *testing.T) {
			s := Start()
			s.Put("b", "k", PatternBytes(1, 100))
			s.Inject(f)
			failed, stalled := make(chan error, 2), make(chan error, 2)
			ctx, cancel := context.WithCancel(context.Background())
			for _, ctx := range []context.Context{ctx, context.Background()} {
				go func() {
					req, _ := http.NewRequestWithContext(ctx, "GET", s.URL()+"/b/k", nil)
					resp, err := new(http.Transport).RoundTrip(req)
					if err == nil {
						defer resp.Body.Close()
						_, err = io.ReadFull(resp.Body, make([]byte, 5))
						stalled <- err
						_, err = resp.Body.Read(make([]byte, 1))
					}
					failed <- err
				}()
			}
			wait, stop := context.WithTimeout(context.Background(), 10*time.Second)
			defer stop()
			if err := s.WaitRequests(wait, 2, nil); err != nil {
				t.Fatal(err)
			}
			if got := s.InFlight(); got != 2 {
				t.Errorf("got %d in flight, want 2", got)
			}
			for range 2 * min(f.StallAfter, 1) {
				if err := <-stalled; err != nil {
					t.Errorf("before the stall: %v", err)
				}
			}
			cancel()
			if err := <-failed; !errors.Is(err, context.Canceled) {
				t.Errorf("canceled client: got error %v", err)
			}
			for s.InFlight() > 1 && wait.Err() == nil {
				time.Sleep(time.Millisecond)
			}
			if got := s.InFlight(); got != 1 {
				t.Errorf("got %d in flight after one client left, want 1", got)
			}
			s.Close()
			if err := <-failed; err == nil {
				t.Error("client of a closed server: got no error")
			}
			if got := s.InFlight(); got != 0 {
				t.Errorf("got %d in flight after Close, want 0", got)
			}
			s.Close()
		})
	}
}

func TestFaultGateOpens(t *testing.T) {
	s := start(t)
	s.Put("b", "k", []byte("old"))
	gate := make(chan struct{})
	s.Inject(Fault{Times: 1, Gate: gate, Do: func(s *Server, r Request) { s.Put(r.Bucket, r.Key, []byte("new")) }})
	arrived := make(chan Request, 1)
	s.OnRequest(func(r Request) { arrived <- r })
	go func() {
		<-arrived
		close(gate)
	}()
	if _, body, err := get(s); err != nil || string(body) != "new" {
		t.Errorf("got %q, error %v, want new", body, err)
	}
}

func TestCloseJoins(t *testing.T) {
	before := runtime.NumGoroutine()
	s := Start()
	s.Put("b", "k", PatternBytes(1, 4<<20))
	s.Inject(Fault{Range: "bytes=0-0", Cut: true})
	var clients []*http.Transport
	for range 3 { // one idle, one cut, one that does not read
		clients = append(clients, new(http.Transport))
	}
	ask := func(c *http.Transport, rng string) *http.Response {
		req, _ := http.NewRequest("GET", s.URL()+"/b/k", nil)
		req.Header.Set("Range", rng)
		resp, err := c.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	var bodies []io.Closer
	for i, rng := range []string{"bytes=0-9", "bytes=0-0", "bytes=0-"} {
		resp := ask(clients[i], rng)
		if i < 2 {
			io.Copy(io.Discard, resp.Body)
		}
		bodies = append(bodies, resp.Body)
	}
	// And one client that sends nothing.
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s.Close()
	for i, c := range clients {
		bodies[i].Close() // a client that does not read does not notice the end
		c.CloseIdleConnections()
	}
	end := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(end) {
		time.Sleep(time.Millisecond) // the clients' goroutines end by themselves
	}
	if got := runtime.NumGoroutine(); got > before {
		stacks := make([]byte, 1<<20)
		t.Errorf("got %d goroutines, had %d before\n%s", got, before, stacks[:runtime.Stack(stacks, true)])
	}
}

func TestMaxInFlight(t *testing.T) {
	s := start(t)
	s.PutContent("b", "k", 64<<20, Pattern(3))
	const clients = 3
	done := make(chan error, clients)
	client := s.Client(once)
	for range clients {
		go func() {
			for range 5 {
				out, err := client.GetObject(context.Background(), &s3.GetObjectInput{
					Bucket: aws.String("b"), Key: aws.String("k"), Range: aws.String("bytes=1000000-3000000"),
				})
				if err == nil {
					_, err = io.Copy(io.Discard, out.Body)
					out.Body.Close()
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range clients {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := s.MaxInFlight(); got < 1 || got > clients {
		t.Errorf("got %d in flight, want 1 to %d", got, clients)
	}
	// A client may dial again while a connection is being returned to the pool.
	if got := s.Connections(); got < 1 || got > 5*clients {
		t.Errorf("got %d connections, want 1 to %d", got, 5*clients)
	}
	if got := len(s.Requests()); got != 5*clients {
		t.Errorf("got %d requests, want %d", got, 5*clients)
	}
	s.ResetRequests()
	if len(s.Requests()) != 0 || s.MaxInFlight() != 0 {
		t.Error("ResetRequests left something")
	}
}
