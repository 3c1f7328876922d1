package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

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
	own      atomic.Pointer[reply]
	left     atomic.Int32 // how many answers are its own
	requests atomic.Int32
}

// reply is an answer of a gateway's own. Nobody changes it.
type reply struct {
	status int
	body   string
	header map[string]string
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.requests.Add(1)
	if g.left.Add(-1) < 0 {
		g.origin.ServeHTTP(w, r)
		return
	}
	own := g.own.Load()
	w.Header().Set("Content-Type", "text/html")
	for name, value := range own.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(own.status)
	if r.Method != http.MethodHead {
		io.WriteString(w, own.body)
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
				g.own.Store(&reply{a.status, a.body, map[string]string{"Retry-After": "1"}})
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
				g.own.Store(&reply{a.status, a.body, nil})
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
