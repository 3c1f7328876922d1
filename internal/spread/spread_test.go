package spread

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// world holds the addresses of a name and the result of dialing each: an error, a wait, or a
// connection.
type world struct {
	addrs  []string
	err    error // result of the lookup
	refuse map[string]error
	slow   map[string]time.Duration

	mu     sync.Mutex
	dialed []string
	open   int
}

type conn struct {
	net.Conn
	world   *world
	address string
}

func (c *conn) Close() error {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	c.world.open--
	return nil
}

func (c *conn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.address))
}

func (w *world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	w.dialed = append(w.dialed, address)
	w.mu.Unlock()
	host, _, _ := net.SplitHostPort(address)
	select {
	case <-time.After(w.slow[host]):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := w.refuse[host]; err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open++
	return &conn{world: w, address: address}, nil
}

func (w *world) lookup(_ context.Context, network, host string) ([]netip.Addr, error) {
	if network != "ip" || host != "bucket.example" {
		return nil, fmt.Errorf("lookup of %s %s", network, host)
	}
	var addrs []netip.Addr
	for _, a := range w.addrs {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	return addrs, w.err
}

// dialer returns a Dialer with a timeout of 20 s.
func (w *world) dialer(first int) *Dialer { return New(w.dial, w.lookup, 20*time.Second, first) }

// reach dials the name and returns the address of the connection.
func reach(t *testing.T, d *Dialer) string {
	t.Helper()
	c, err := d.DialContext(t.Context(), "tcp", "bucket.example:443")
	if err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(c.(*conn).address, ":443")
}

func reachAll(t *testing.T, d *Dialer, n int) (got []string) {
	t.Helper()
	for range n {
		got = append(got, reach(t, d))
	}
	return got
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// Dialers that begin with different addresses use different ones, whatever the resolver's order.
func TestInTurn(t *testing.T) {
	w := &world{addrs: []string{"10.0.0.3", "10.0.0.1", "::ffff:10.0.0.2"}}
	equal(t, "first 0", reachAll(t, w.dialer(0), 4), "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1")
	slices.Reverse(w.addrs)
	equal(t, "first 5", reachAll(t, w.dialer(5), 2), "10.0.0.3", "10.0.0.1")
}

// The family that the resolver returns first stays first.
func TestFamilies(t *testing.T) {
	w := &world{addrs: []string{"2001:db8::2", "10.0.0.1", "2001:db8::1", "10.0.0.2", "10.0.0.3"}}
	equal(t, "both", reachAll(t, w.dialer(0), 3), "[2001:db8::1]", "[2001:db8::2]", "[2001:db8::1]")
	var order []string
	for _, a := range w.dialer(1).order([]netip.Addr{
		netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3"),
	}) {
		order = append(order, a.String())
	}
	equal(t, "order", order, "2001:db8::2", "10.0.0.2", "2001:db8::1", "10.0.0.3", "10.0.0.1")
}

// An address that refuses connections is dialed once, and then not for a minute.
func TestBadAddressIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{addrs: []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}, refuse: map[string]error{"10.0.0.2": errors.New("refused")}}
		d := w.dialer(0)
		equal(t, "got", reachAll(t, d, 5), "10.0.0.1", "10.0.0.3", "10.0.0.1", "10.0.0.3", "10.0.0.1")
		count := func() (n int) {
			for _, a := range w.dialed {
				if a == "10.0.0.2:443" {
					n++
				}
			}
			return n
		}
		if count() != 1 {
			t.Errorf("dialed %q, want 10.0.0.2 once", w.dialed)
		}
		time.Sleep(shunFor)
		reachAll(t, d, 3)
		if count() != 2 {
			t.Errorf("dialed %q, want 10.0.0.2 twice, after a minute", w.dialed)
		}
	})
}

// An address that does not answer delays a connection by its head start only, and is then shunned.
func TestSilentAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{addrs: []string{"10.0.0.1", "10.0.0.2"}, slow: map[string]time.Duration{"10.0.0.1": time.Hour}}
		d := w.dialer(0)
		began := time.Now()
		equal(t, "got", reachAll(t, d, 3), "10.0.0.2", "10.0.0.2", "10.0.0.2")
		if took := time.Since(began); took != headStart {
			t.Errorf("it took %v, want %v", took, headStart)
		}
		equal(t, "dialed", w.dialed, "10.0.0.1:443", "10.0.0.2:443", "10.0.0.2:443", "10.0.0.2:443")
	})
}

// The connection that is established second is closed.
func TestLoserIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{addrs: []string{"10.0.0.1", "10.0.0.2"}, slow: map[string]time.Duration{"10.0.0.1": headStart + time.Second, "10.0.0.2": time.Second}}
		dial := w.dial
		d := New(func(_ context.Context, network, address string) (net.Conn, error) {
			return dial(context.Background(), network, address) // connects after ctx is canceled
		}, w.lookup, 0, 0)
		reach(t, d)
		synctest.Wait()
		time.Sleep(time.Minute)
		if w.open != 1 {
			t.Errorf("%d connections are open, want 1", w.open)
		}
	})
}

// If all addresses fail, all are tried, and the first error is returned.
func TestAllAreBad(t *testing.T) {
	w := &world{addrs: []string{"10.0.0.1", "10.0.0.2"}, refuse: map[string]error{"10.0.0.1": errors.New("first"), "10.0.0.2": errors.New("second")}}
	d := w.dialer(0)
	equal(t, "errors", reachAll(t, d, 2), "first", "second")
	equal(t, "dialed", w.dialed, "10.0.0.1:443", "10.0.0.2:443", "10.0.0.2:443", "10.0.0.1:443")
	clear(w.refuse)
	equal(t, "later", reachAll(t, d, 1), "10.0.0.1")
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{addrs: []string{"10.0.0.1", "10.0.0.2"}, slow: map[string]time.Duration{"10.0.0.1": time.Hour, "10.0.0.2": time.Hour}}
		began := time.Now()
		_, err := w.dialer(0).DialContext(t.Context(), "tcp", "bucket.example:443")
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != 20*time.Second {
			t.Errorf("got %v after %v, want the timeout's end after 20s", err, took)
		}
	})
}

func TestShun(t *testing.T) {
	w := &world{addrs: []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}}
	d := w.dialer(0)
	c, _ := d.DialContext(t.Context(), "tcp", "bucket.example:443")
	d.Shun(c)
	equal(t, "got", reachAll(t, d, 3), "10.0.0.3", "10.0.0.2", "10.0.0.3")
}

// A literal address is dialed as it is.
func TestAddressWithoutName(t *testing.T) {
	w := &world{}
	for _, address := range []string{"10.0.0.1:80", "[::1]:80"} {
		if _, err := w.dialer(0).DialContext(t.Context(), "tcp", address); err != nil {
			t.Errorf("%s: got %v, want nil", address, err)
		}
	}
	equal(t, "dialed", w.dialed, "10.0.0.1:80", "[::1]:80")
}

func TestLookupFails(t *testing.T) {
	w := &world{err: &net.DNSError{Err: "no such host", Name: "bucket.example", IsNotFound: true}}
	_, err := w.dialer(0).DialContext(t.Context(), "tcp", "bucket.example:443")
	if got, want := fmt.Sprint(err), "dial tcp: lookup bucket.example: no such host"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
