//go:build !linux

package lowat

import "net"

// Conn is never made here: no other kernel is known to wake a poller by the mark.
type Conn struct{ net.Conn }

func wrap(conn net.Conn) net.Conn { return conn }

func (c *Conn) expect(int64) {}
func (c *Conn) nudge()       {}
