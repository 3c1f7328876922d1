package fetch_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

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

// TestHandshakeSilent: a server that does not answer a TLS handshake is a failed attempt.
func TestHandshakeSilent(t *testing.T) {
	leak.Check(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // it accepts nothing: the kernel does
	c := newClient(t, startOrigin(t), func(s *settings.Settings) {
		s.Client.BaseEndpoint = aws.String("https://" + l.Addr().String())
		s.HTTP.TLSHandshakeTimeout = 20 * time.Millisecond
	})
	_, err = c.Head(t.Context(), &ipc.Job{Bucket: "b", Key: "k", Head: &ipc.Head{}}, nil)
	wantError(t, err, failure.ErrRetriesExceeded)
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() || !strings.Contains(err.Error(), "no TLS handshake within 20ms") {
		t.Errorf("got %v, want a timeout of the handshake", err)
	}
}

// TestTLSRefuses: no other attempt is made at a server that has no version of TLS in common with
// the client, or that insists on a certificate of the client.
func TestTLSRefuses(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	for name, config := range map[string]*tls.Config{
		"old":         {MaxVersion: tls.VersionTLS12},
		"certificate": {ClientAuth: tls.RequireAnyClientCert},
		"both":        {ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(origin)
			server.TLS = config
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			defer server.Close()
			c := newClient(t, origin, func(s *settings.Settings) {
				s.Client.BaseEndpoint, s.HTTP.InsecureSkipVerify = &server.URL, true
				if name == "old" {
					s.HTTP.TLSMinVersion = tls.VersionTLS13
				}
			})
			_, err := c.Head(t.Context(), &ipc.Job{Bucket: "b", Key: "k", Head: &ipc.Head{}}, func(_ int, _ time.Duration, err error) {
				t.Errorf("retried after %v", err)
			})
			if err == nil || !strings.Contains(err.Error(), "tls: ") {
				t.Errorf("got %v, want TLS's word", err)
			}
		})
	}
}
