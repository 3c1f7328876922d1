// Package lowat dials connections whose reader the kernel wakes when much data has arrived, not
// with each segment. Wake-ups are the main CPU cost of a download.
//
// SO_RCVLOWAT (socket(7), tcp_set_rcvlowat in net/ipv4/tcp.c) sets the low-water mark of a socket:
// the socket is not readable before that many bytes have arrived. A mark above the number of bytes
// still to come would wait forever. The mark is therefore never above the number given to
// Body.Expect, and a read without such a number waits for one byte, as usual. Body.Nudge ends a
// wait early with the bytes that have arrived, so that a slow connection does not look like a
// stalled one.
//
// On systems other than Linux, connections are unchanged.
package lowat

import (
	"context"
	"crypto/tls"
	"net"
)

// maxMark is the largest low-water mark, in bytes.
const maxMark = 1 << 20

// The number of bytes that may be buffered between the socket and the reader of the body: the
// buffer of net/http, and with TLS one decrypted record and one incomplete record.
const (
	httpBuffer = 4 << 10
	tlsBuffers = 2 * (16<<10 + 1<<10)
)

// Dial is the type of net.Dialer.DialContext.
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

// DialContext returns a Dial that wraps the TCP connections of dial in a Conn, on Linux.
func DialContext(dial Dial) Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return wrap(conn), nil
	}
}

// Body represents a connection while a response body is read from it. The methods of the zero Body,
// and of the Body of a connection that is not a Conn, do nothing.
type Body struct {
	conn    *Conn
	between int64 // bytes that may already have left the socket
}

// Of returns the Body of conn, the connection in an httptrace.GotConnInfo.
func Of(conn net.Conn) Body {
	b := Body{between: httpBuffer}
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
		b.between += tlsBuffers
	}
	b.conn, _ = conn.(*Conn)
	return b
}

// Expect sets the number of bytes of the body that are still to be read. The caller calls it before
// a read.
func (b Body) Expect(left int64) {
	if b.conn != nil {
		b.conn.expect(left - b.between)
	}
}

// Nudge ends a read that waits for its mark if at least one byte has arrived. It may be called
// concurrently with a read.
func (b Body) Nudge() {
	if b.conn != nil {
		b.conn.nudge()
	}
}

// Ended reports whether the connection has ended while nobody has read from it: by the other side, or by
// an error. Only Linux tells; elsewhere it returns false.
func (b Body) Ended() bool { return b.conn != nil && b.conn.ended() }

// Window has the kernel receive no more than n bytes, about, that nobody has read; 0 = as many as help.
// It is called before a request: the kernel drops what the sender was offered before and is too much.
func (b Body) Window(n int) {
	if b.conn != nil {
		b.conn.setWindow(n, true)
	}
}

// Widen is Window if n is more than was said last, and does nothing otherwise. It may be called while a
// body is read. It is cheap where it changes nothing.
func (b Body) Widen(n int) {
	if b.conn != nil {
		b.conn.setWindow(n, false)
	}
}
