package lowat

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// worthwhile is the least mark, in bytes, that is worth a system call.
const worthwhile = 16 << 10

// window is what a connection has room for from the start, in bytes: some marks, so that the sender goes
// on while one is waited for and read. The kernel makes room for no more than the mark itself and
// clamps the window to it (tcp_set_rcvlowat), where it has not yet found out
// that the connection needs more.
const window = 4 * maxMark

// Conn is a TCP connection with a low-water mark. Reads are for one goroutine at
// a time, as net/http does them.
type Conn struct {
	*net.TCPConn
	raw syscall.RawConn

	due atomic.Int64 // bytes that are still to come for sure

	mu struct {
		sync.Mutex
		lowat int // as the socket has it
	}

	// Of the reader.
	try func(fd uintptr) bool // c.read, made once
	p   []byte                // what try reads into
	n   int                   // and how much it has read
	err error
}

func wrap(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn
	}
	c := &Conn{TCPConn: tcp, raw: raw}
	c.try = c.read
	raw.Control(func(fd uintptr) {
		c.setLowat(fd, window)
		c.setLowat(fd, 1)
	})
	return c
}

func (c *Conn) expect(due int64) { c.due.Store(due) }

// nudge ends a wait if anything is there: a lower mark has the kernel look again
// (tcp_set_rcvlowat). The next wait sets its own.
func (c *Conn) nudge() { c.raw.Control(func(fd uintptr) { c.setLowat(fd, 1) }) }

// Read returns what is there. If there is nothing it waits for as much as is due, up to maxMark.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return c.TCPConn.Read(p)
	}
	c.p = p
	waitErr := c.raw.Read(c.try)
	n, err := c.n, c.err
	c.p, c.n, c.err = nil, 0, nil
	if waitErr != nil {
		return 0, waitErr
	}
	c.due.Add(-int64(n))
	return n, err
}

// read is one attempt. Go's poller is edge-triggered: it must not be waited for before the socket
// has said EAGAIN.
func (c *Conn) read(fd uintptr) (done bool) {
	for {
		n, err := unix.Read(int(fd), c.p)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			// If so much has come meanwhile, the kernel tells at once: no wake-up is lost in between.
			c.setLowat(fd, c.mark())
			return false
		case err != nil:
			c.err = &net.OpError{Op: "read", Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError("read", err)}
		case n == 0:
			c.err = io.EOF
		default:
			c.n = n
		}
		return true
	}
}

// mark is what the next wait is for.
func (c *Conn) mark() int {
	due := c.due.Load()
	if due < worthwhile {
		return 1
	}
	return int(min(due, maxMark))
}

func (c *Conn) setLowat(fd uintptr, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.lowat == n {
		return
	}
	c.mu.lowat = n
	// A kernel that refuses wakes the reader early, as without a mark.
	unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, n)
}
