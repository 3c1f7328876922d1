package fetch

import (
	"context"
	"io"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// second is a second address of the origin, 127.0.0.2: a proxy that discards what it gets if it is
// mute. On Linux all of 127/8 is this machine.
type second struct {
	origin   string
	mute     bool
	accepted atomic.Int32
}

func startSecond(t *testing.T, origin string, mute bool) *second {
	t.Helper()
	_, port, _ := net.SplitHostPort(origin)
	l, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err != nil {
		t.Fatal(err)
	}
	s := &second{origin: origin, mute: mute}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.accepted.Add(1)
			serving.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(serving.Wait)
	t.Cleanup(func() { l.Close() })
	return s
}

func (s *second) serve(conn net.Conn) {
	defer conn.Close()
	if s.mute {
		io.Copy(io.Discard, conn)
		return
	}
	up, err := net.Dial("tcp", s.origin)
	if err != nil {
		return
	}
	defer up.Close()
	go func() {
		io.Copy(up, conn)
		up.Close()
	}()
	io.Copy(conn, up)
}

type nowhere struct{}

func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }

// newSpreadClient makes the client of the worker in this seat, for an origin with two addresses.
func newSpreadClient(t *testing.T, origin *s3test.Server, seat int) *Client {
	t.Helper()
	u, err := url.Parse(origin.URL())
	if err != nil {
		t.Fatal(err)
	}
	lookup := func(context.Context, string, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.1")}, nil
	}
	c, err := New(Options{Lookup: lookup, Settings: settings.Settings{
		Client: settings.Client{
			Region: s3test.Region, BaseEndpoint: aws.String("http://several.example:" + u.Port()), UsePathStyle: true, Anonymous: true,
			RetryMode: aws.RetryModeStandard,
		},
		HTTP: settings.HTTP{NoProxy: true, DialTimeout: time.Minute, IdleConnTimeout: time.Hour},
		Seat: seat, Slots: 1, MaxAttempts: 3, StallTimeout: 500 * time.Millisecond, UserAgent: "processpool/test",
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get10(t *testing.T, c *Client) (failed int) {
	t.Helper()
	job := &ipc.Job{ID: 1, Bucket: "b", Key: "k", Get: &ipc.Get{Length: 10, Size: 10}}
	on := Observer{Retrying: func(int, time.Duration, error) { failed++ }}
	if _, _, err := c.Get(t.Context(), job, nowhere{}, on); err != nil {
		t.Fatal(err)
	}
	return failed
}

// TestWorkersOnSeveralAddresses: the workers of a pool use all addresses of a name.
func TestWorkersOnSeveralAddresses(t *testing.T) {
	origin := s3test.Start()
	t.Cleanup(origin.Close)
	origin.Put("b", "k", make([]byte, 10))
	s := startSecond(t, origin.URL()[len("http://"):], false)
	for seat, want := range []int32{0, 1, 1, 2} {
		c := newSpreadClient(t, origin, seat)
		get10(t, c)
		get10(t, c) // over the same connection
		c.s3.Options().HTTPClient.(interface{ CloseIdleConnections() }).CloseIdleConnections()
		if got := s.accepted.Load(); got != want {
			t.Errorf("after worker %d: %d connections to the second address, want %d", seat, got, want)
		}
	}
}

// TestSilentAddressIsLeftAlone: an address that connects and stalls costs one attempt. The next
// connections are to other addresses.
func TestSilentAddressIsLeftAlone(t *testing.T) {
	origin := s3test.Start()
	t.Cleanup(origin.Close)
	origin.Put("b", "k", make([]byte, 10))
	origin.Inject(s3test.Fault{Header: map[string]string{"Connection": "close"}})
	s := startSecond(t, origin.URL()[len("http://"):], true)
	c := newSpreadClient(t, origin, 1)
	for n, want := range []int{1, 0, 0, 0} {
		if got := get10(t, c); got != want {
			t.Errorf("download %d: %d attempts failed, want %d", n, got, want)
		}
	}
	if got := s.accepted.Load(); got != 1 {
		t.Errorf("%d connections to the silent address, want 1", got)
	}
}
