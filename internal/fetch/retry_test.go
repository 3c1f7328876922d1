package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/fetch"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// page is what gateways send in place of an answer of S3: HTML that is no XML.
const page = "<!DOCTYPE html>\n<html><head><meta charset=utf-8><title>Sorry</title><body>\n<center><h1>Try again<hr>nginx</center>\n"

// gateway is a server before the origin that gives the first answers itself.
type gateway struct {
	origin   *s3test.Server
	status   int
	header   map[string]string
	body     string
	left     atomic.Int32 // how many answers are its own
	requests atomic.Int32
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.requests.Add(1)
	if g.left.Add(-1) < 0 {
		g.origin.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html")
	for name, value := range g.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(g.status)
	if r.Method != http.MethodHead {
		io.WriteString(w, g.body)
	}
}

func startGateway(t *testing.T, origin *s3test.Server) (*gateway, *fetch.Client) {
	t.Helper()
	g := &gateway{origin: origin}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	return g, newClient(t, origin, func(s *settings.Settings) { s.Client.BaseEndpoint, s.Hurry = &server.URL, 100 })
}

// questions are the questions that a client asks about b/k.
func questions(o object) map[string]func(context.Context, *fetch.Client, fetch.Retrying) error {
	return map[string]func(context.Context, *fetch.Client, fetch.Retrying) error{
		"GET": func(ctx context.Context, c *fetch.Client, on fetch.Retrying) error {
			_, _, err := c.Get(ctx, o.job(0, len(o.data)), &memory{}, fetch.Observer{Retrying: on})
			return err
		},
		"HEAD": func(ctx context.Context, c *fetch.Client, on fetch.Retrying) error {
			_, err := c.Head(ctx, &ipc.Job{Bucket: "b", Key: "k", Head: &ipc.Head{}}, on)
			return err
		},
		"listing": func(ctx context.Context, c *fetch.Client, on fetch.Retrying) error {
			_, err := c.List(ctx, &ipc.Job{Bucket: "b", List: &ipc.List{}}, on)
			return err
		},
		"attributes": func(ctx context.Context, c *fetch.Client, on fetch.Retrying) error {
			_, err := c.Parts(ctx, &ipc.Job{Bucket: "b", Key: "k", Parts: &ipc.Parts{ETag: o.etag, Size: int64(len(o.data))}}, on)
			return err
		},
	}
}

// TestNotNow: in every question, each answer that means "not now" is retried, whether it is S3's or
// a gateway's, and with the pause that it asks for.
func TestNotNow(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 100, s3test.WithParts(40, 40, 20), s3test.WithChecksum("sha256", "COMPOSITE"))
	g, c := startGateway(t, origin)
	s3 := func(code string) string { return "<Error><Code>" + code + "</Code><Message>m</Message></Error>" }
	for name, ask := range questions(o) {
		for _, a := range []struct {
			status int
			body   string
			kind   failure.Kind
		}{
			{429, page, failure.KindThrottled}, {429, s3("TooManyRequests"), failure.KindThrottled}, {429, "", failure.KindThrottled},
			{503, page, failure.KindThrottled}, {503, s3("SlowDown"), failure.KindThrottled}, {503, s3("ServiceUnavailable"), failure.KindThrottled},
			{408, page, failure.KindOther}, {425, page, failure.KindOther}, {500, page, failure.KindOther}, {500, s3("InternalError"), failure.KindOther},
			{502, page, failure.KindOther}, {504, "", failure.KindOther}, {520, page, failure.KindOther}, {522, page, failure.KindOther},
			{524, "error code: 524", failure.KindOther}, {409, s3("OperationAborted"), failure.KindOther},
		} {
			t.Run(fmt.Sprintf("%s,%d,%.12q", name, a.status, a.body), func(t *testing.T) {
				g.status, g.body, g.header = a.status, a.body, map[string]string{"Retry-After": "1"}
				g.left.Store(2)
				var waits []time.Duration
				if err := ask(t.Context(), c, func(_ int, wait time.Duration, err error) {
					waits = append(waits, wait)
					if kind := failure.KindOf(err); kind != a.kind {
						t.Errorf("got kind %q, want %q of %v", kind, a.kind, err)
					}
				}); err != nil {
					t.Error(err)
				}
				if len(waits) != 2 || waits[0] < time.Second || waits[1] < time.Second {
					t.Errorf("got pauses %v, want two of 1s or more", waits)
				}
			})
		}
		for _, a := range []struct {
			status int
			body   string
		}{
			{403, page}, {404, page}, {400, page}, {501, page}, {403, s3("AccessDenied")}, {404, s3("NoSuchBucket")}, {404, ""},
		} {
			t.Run(fmt.Sprintf("%s,%d,%.12q", name, a.status, a.body), func(t *testing.T) {
				g.status, g.body, g.header = a.status, a.body, nil
				g.left.Store(1000)
				g.requests.Store(0)
				err := ask(t.Context(), c, func(_ int, _ time.Duration, err error) { t.Errorf("retried after %v", err) })
				if err == nil || errors.Is(err, failure.ErrRetriesExceeded) {
					t.Errorf("got %v, want the answer's error", err)
				}
			})
		}
	}
}

// TestClockIsOff: a request that was signed with a wrong time is repeated at once with the time of
// the answer. A HEAD's refusal does not tell why.
func TestClockIsOff(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 100)
	for _, ahead := range []time.Duration{time.Hour, -time.Hour} {
		date := map[string]string{"Date": time.Now().Add(ahead).UTC().Format(http.TimeFormat)}
		strict := s3test.Fault{
			Status: 403, Code: "RequestTimeTooSkewed", Header: date,
			Match: func(r s3test.Request) bool {
				signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
				return err != nil || time.Now().Add(ahead).Sub(signed).Abs() > 15*time.Minute
			},
		}
		for name, ask := range questions(o) {
			if name == "attributes" {
				continue // of an object without parts
			}
			t.Run(fmt.Sprintf("%s,ahead=%v", name, ahead), func(t *testing.T) {
				origin.ClearFaults()
				origin.ResetRequests()
				origin.Inject(strict)
				origin.Inject(s3test.Fault{Header: date})
				c := newClient(t, origin, attempts(1))
				retries := 0
				if err := ask(t.Context(), c, func(_ int, wait time.Duration, _ error) {
					if retries++; wait != 0 {
						t.Errorf("got a pause of %v", wait)
					}
				}); err != nil {
					t.Error(err)
				}
				if retries != 1 {
					t.Errorf("got %d retries, want 1", retries)
				}
				wantCount(t, origin, 2)
				if err := ask(t.Context(), c, nil); err != nil { // the clock stays corrected
					t.Error(err)
				}
				wantCount(t, origin, 3)
			})
			t.Run(fmt.Sprintf("%s,ahead=%v,uncorrected", name, ahead), func(t *testing.T) {
				origin.ClearFaults()
				origin.ResetRequests()
				origin.Inject(strict)
				c := newClient(t, origin, func(s *settings.Settings) { s.Client.DisableClockSkewCorrection = true })
				err := ask(t.Context(), c, nil)
				if err == nil || !strings.Contains(err.Error(), "the clock of this machine is off by 1h0m0s: ") {
					t.Errorf("got %v, want that the clock is off", err)
				}
				wantCount(t, origin, 2)
			})
		}
	}
	// A refusal for another reason, by a server whose clock is the same.
	origin.ClearFaults()
	origin.ResetRequests()
	origin.Inject(s3test.Fault{Status: 403})
	err := questions(o)["HEAD"](t.Context(), newClient(t, origin), nil)
	if err == nil || strings.Contains(err.Error(), "clock") {
		t.Errorf("got %v, want a refusal without the clock", err)
	}
	wantCount(t, origin, 1)
}

// TestNames: a name that does not exist is an error at once, unless it did exist before; faults of
// the resolver are always retried.
func TestNames(t *testing.T) {
	leak.Check(t)
	missing := &net.DNSError{Err: "no such host", Name: "s3.test", IsNotFound: true}
	for _, c := range []struct {
		name  string
		fault error
		known bool // the name has been resolved before
		times int32
		want  error // nil: success
	}{
		{"NXDOMAIN", missing, false, 1, missing},
		{"NXDOMAIN once, of a known name", missing, true, 1, nil},
		{"NXDOMAIN, of a known name", missing, true, 1000, failure.ErrRetriesExceeded},
		{"SERVFAIL", &net.DNSError{Err: "server misbehaving", IsTemporary: true}, false, 2, nil},
		{"timeout", &net.DNSError{Err: "i/o timeout", IsTimeout: true}, false, 2, nil},
		{"SERVFAIL for good", &net.DNSError{Err: "server misbehaving", IsTemporary: true}, false, 1000, failure.ErrRetriesExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			origin := startOrigin(t)
			o := putObject(origin, 1000)
			u, err := url.Parse(origin.URL())
			if err != nil {
				t.Fatal(err)
			}
			var left, lookups atomic.Int32
			lookup := func(context.Context, string, string) ([]netip.Addr, error) {
				lookups.Add(1)
				if left.Add(-1) >= 0 {
					return nil, c.fault
				}
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
			}
			client, err := fetch.New(fetch.Options{Lookup: lookup, Settings: settings.Settings{
				Client: settings.Client{
					Region: s3test.Region, BaseEndpoint: aws.String("http://s3.test:" + u.Port()), UsePathStyle: true, Anonymous: true,
				},
				HTTP:  settings.HTTP{NoProxy: true},
				Slots: 1, MaxAttempts: 3, StallTimeout: patience, Hurry: 100,
			}})
			if err != nil {
				t.Fatal(err)
			}
			ask := questions(o)["GET"]
			if c.known {
				origin.Inject(s3test.Fault{Times: 1, Header: map[string]string{"Connection": "close"}})
				if err := ask(t.Context(), client, nil); err != nil {
					t.Fatal(err)
				}
			}
			left.Store(c.times)
			lookups.Store(0)
			err = ask(t.Context(), client, nil)
			if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if c.want == error(missing) && lookups.Load() != 1 {
				t.Errorf("got %d lookups, want 1", lookups.Load())
			}
		})
	}
}

// TestIdleConnection: a connection that the server closed while it was idle costs no pause.
func TestIdleConnection(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 1000)
	c := newClient(t, origin)
	ask := questions(o)["GET"]
	for _, times := range []int{1, 2} {
		if err := ask(t.Context(), c, nil); err != nil {
			t.Fatal(err)
		}
		// net/http itself repeats a request on a connection that was used before. A fault that
		// strikes again meets the request on a new one.
		origin.ClearFaults()
		origin.Inject(s3test.Fault{Times: times, Cut: true, CutAfter: -1})
		retries := 0
		if err := ask(t.Context(), c, func(int, time.Duration, error) { retries++ }); err != nil {
			t.Error(err)
		}
		if retries != times-1 {
			t.Errorf("times=%d: got %d retries, want %d", times, retries, times-1)
		}
	}
}

// TestHandshakeCut: a TLS handshake that is cut is retried.
func TestHandshakeCut(t *testing.T) {
	leak.Check(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var accepted atomic.Int32
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if accepted.Add(1)%2 == 0 {
				io.ReadFull(conn, make([]byte, 10))
			}
			conn.Close()
		}
	}()
	origin := startOrigin(t)
	c := newClient(t, origin, func(s *settings.Settings) {
		s.Client.BaseEndpoint = aws.String("https://" + l.Addr().String())
	})
	_, err = c.Head(t.Context(), &ipc.Job{Bucket: "b", Key: "k", Head: &ipc.Head{}}, nil)
	wantError(t, err, failure.ErrRetriesExceeded)
	if n := accepted.Load(); n != 3 {
		t.Errorf("got %d connections, want 3", n)
	}

	// A server that speaks no TLS will not learn it.
	c = newClient(t, origin, func(s *settings.Settings) {
		s.Client.BaseEndpoint = aws.String("https" + strings.TrimPrefix(origin.URL(), "http"))
	})
	_, err = c.Head(t.Context(), &ipc.Job{Bucket: "b", Key: "k", Head: &ipc.Head{}}, nil)
	if err == nil || errors.Is(err, failure.ErrRetriesExceeded) {
		t.Errorf("got %v, want an error at once", err)
	}
}
