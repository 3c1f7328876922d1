// Package spread dials the addresses of a name in turn, so that a pool's connections are on as many of S3's hosts as
// a lookup tells of, and leaves alone for a while an address that has failed. It is one of S3's own
// counsels ("Performance Design Patterns for Amazon S3": horizontal scaling, DNS).
package spread

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// headStart is what an address has before the next one is tried, too: the connection
	// attempt delay of RFC 8305, as long as package net's.
	headStart = 300 * time.Millisecond
	// shunFor is how long an address is left alone.
	shunFor = time.Minute
)

// Dial is as of net.Dialer, for addresses without names.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Lookup is as of net.Resolver.
type Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

// Dialer dials the addresses of a name in turn. It may be used by several goroutines at once.
type Dialer struct {
	dial    Dial
	lookup  Lookup
	timeout time.Duration

	mu struct {
		sync.Mutex
		turn    int
		shunned map[netip.Addr]time.Time // until when
	}
}

// New makes a Dialer that needs no longer than timeout, 0 for any time, and begins with the address of this
// number, counted round. Dialers of one pool are to begin with different ones.
func New(dial Dial, lookup Lookup, timeout time.Duration, first int) *Dialer {
	d := &Dialer{dial: dial, lookup: lookup, timeout: timeout}
	d.mu.turn = first
	d.mu.shunned = map[netip.Addr]time.Time{}
	return d
}

// DialContext dials the address whose turn it is, and the others when that fails or is slow.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || literal(host) {
		return d.dial(ctx, network, address)
	}
	if d.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.timeout)
		defer cancel()
	}
	addrs, err := d.lookup(ctx, "ip", host)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	return d.race(ctx, network, port, d.order(addrs))
}

func literal(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// order puts the address first whose turn it is, of the family that the resolver has put first (RFC 6724).
// The families alternate (RFC 8305, section 4), and what is shunned comes last.
func (d *Dialer) order(addrs []netip.Addr) []netip.Addr {
	var families [2][]netip.Addr
	for _, a := range addrs {
		f := &families[0]
		if a = a.Unmap(); a.Is4() != addrs[0].Unmap().Is4() {
			f = &families[1]
		}
		*f = append(*f, a)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now, turn := time.Now(), d.mu.turn
	d.mu.turn++
	for i, f := range families {
		slices.SortFunc(f, netip.Addr.Compare) // a resolver may have them in any order
		good := slices.DeleteFunc(slices.Clone(f), func(a netip.Addr) bool { return now.Before(d.mu.shunned[a]) })
		bad := slices.DeleteFunc(f, func(a netip.Addr) bool { return slices.Contains(good, a) })
		families[i] = append(rotate(good, turn), rotate(bad, turn)...)
	}
	var order []netip.Addr
	for i := range addrs {
		for _, f := range families {
			if i < len(f) {
				order = append(order, f[i])
			}
		}
	}
	return order
}

func rotate(addrs []netip.Addr, n int) []netip.Addr {
	if len(addrs) == 0 {
		return nil
	}
	n %= len(addrs)
	return append(slices.Clone(addrs[n:]), addrs[:n]...)
}

// race dials one address after the other, each when the one before has failed or had its head
// start, until the first is there; those before it are left alone for a while.
func (d *Dialer) race(ctx context.Context, network, port string, addrs []netip.Addr) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		n    int
		conn net.Conn
		err  error
	}
	outcomes, over := make(chan outcome), make(chan struct{})
	defer close(over)
	started, running := 0, 0
	start := func() {
		if started == len(addrs) {
			return
		}
		n := started
		started++
		running++
		go func() {
			conn, err := d.dial(ctx, network, net.JoinHostPort(addrs[n].String(), port))
			select {
			case outcomes <- outcome{n, conn, err}:
			case <-over:
				if err == nil {
					conn.Close()
				}
			}
		}()
	}
	ticker := time.NewTicker(headStart)
	defer ticker.Stop()
	var first error
	for start(); running > 0; {
		select {
		case <-ticker.C:
			start()
		case o := <-outcomes:
			running--
			if o.err == nil {
				d.shun(addrs[:o.n]...)
				return o.conn, nil
			}
			if first == nil {
				first = o.err
			}
			if ctx.Err() == nil {
				start()
				ticker.Reset(headStart)
			}
		}
	}
	return nil, first
}

// Shun leaves the address of a connection alone for a while.
func (d *Dialer) Shun(conn net.Conn) {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		d.shun(tcp.AddrPort().Addr().Unmap())
	}
}

func (d *Dialer) shun(addrs ...netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	for a, until := range d.mu.shunned {
		if !now.Before(until) {
			delete(d.mu.shunned, a)
		}
	}
	for _, a := range addrs {
		d.mu.shunned[a] = now.Add(shunFor)
	}
}
