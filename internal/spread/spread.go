// Package spread dials the addresses of a host name in turn, so that the connections of a pool use
// all the S3 hosts that a lookup returns. It avoids an address that has failed for a minute. S3
// recommends this ("Performance Design Patterns for Amazon S3": horizontal scaling, DNS).
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
	// headStart is the time after which the next address is dialed, too: the connection attempt
	// delay of RFC 8305, with the value of package net.
	headStart = 300 * time.Millisecond
	// shunFor is how long a failed address is dialed last.
	shunFor = time.Minute
)

// Dial is the type of net.Dialer.DialContext. The address is an IP address and a port.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Lookup is the type of net.Resolver.LookupNetIP.
type Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

// Dialer dials the addresses of a host name in turn. It is safe for concurrent use.
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

// New returns a Dialer whose DialContext takes at most timeout, 0 for no limit. It begins with the
// address at index first, modulo the number of addresses. The Dialers of a pool should have
// different values of first.
func New(dial Dial, lookup Lookup, timeout time.Duration, first int) *Dialer {
	d := &Dialer{dial: dial, lookup: lookup, timeout: timeout}
	d.mu.turn = first
	d.mu.shunned = map[netip.Addr]time.Time{}
	return d
}

// DialContext dials the next address in turn, and then the others if it fails or is slow.
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

// order returns the addresses in the order in which to dial them. The first is the next in turn of
// the family that the resolver returned first (RFC 6724). The families alternate (RFC 8305, section
// 4), and shunned addresses come last.
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
		slices.SortFunc(f, netip.Addr.Compare) // a resolver may return them in any order
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

// race dials one address after the other until one connects. It starts each when the previous one
// has failed, or after its head start. It shuns the addresses before the one that connected.
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

// Shun makes later dials try the address of conn last, for a minute.
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
