//go:build !linux

package lowat

import "net"

// Conn is never created here: no other kernel is known to wake a poller at the low-water mark.
type Conn struct{ net.Conn }

func wrap(conn net.Conn) net.Conn { return conn }

func (c *Conn) expect(int64)        {}
func (c *Conn) nudge()              {}
func (c *Conn) ended() bool         { return false }
func (c *Conn) setWindow(int, bool) {}
