// Package lowat dials connections whose reader the kernel wakes when much has
// arrived, not with each segment: a download's cost is its wake-ups.
//
// SO_RCVLOWAT (socket(7), tcp_set_rcvlowat in net/ipv4/tcp.c) keeps a socket from being
// readable until so many bytes are there. More than what is still to come on the
// wire would be waited for in vain, so the mark is never above what somebody who knows has
// said is due, and every other wait is for one byte as ever. Nudge ends a wait
// early with what is there, so that a slow connection is no silent one.
//
// Elsewhere than on Linux a Conn is a plain connection.
package lowat

import (
	"context"
	"crypto/tls"
	"net"
)

// maxMark is the most that a wait is for, in bytes.
const maxMark = 1 << 20

// What may lie between the socket and the body's reader, in bytes: the buffer of
// net/http, and under TLS a record decrypted and one that is not complete.
const (
	httpBuffer = 4 << 10
	tlsBuffers = 2 * (16<<10 + 1<<10)
)

// Dial is as of net.Dialer.
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

// DialContext returns dial, with connections of this package where the platform has them.
func DialContext(dial Dial) Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return wrap(conn), nil
	}
}

// Body is a connection while a response's body is read from it. The zero Body is
// of a connection of any other kind, and does nothing.
type Body struct {
	conn    *Conn
	between int64 // bytes that may already be above the socket
}

// Of returns the Body of a connection as httptrace.GotConnInfo has it.
func Of(conn net.Conn) Body {
	b := Body{between: httpBuffer}
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
		b.between += tlsBuffers
	}
	b.conn, _ = conn.(*Conn)
	return b
}

// Expect says, before a read, that left bytes of the body are still to be read.
func (b Body) Expect(left int64) {
	if b.conn != nil {
		b.conn.expect(left - b.between)
	}
}

// Nudge ends a read that waits for its mark, if anything at all is there.
func (b Body) Nudge() {
	if b.conn != nil {
		b.conn.nudge()
	}
}
