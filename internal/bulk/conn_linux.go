package bulk

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// worthwhile is the least mark, in bytes, that is worth a system call.
const worthwhile = 16 << 10

// aheadSize is the buffer under TLS, in bytes: crypto/tls asks for one record of 16 KiB
// at a time.
const aheadSize = 256 << 10

// Conn is a TCP connection with a low-water mark. Reads are for one goroutine at
// a time, as net/http does them.
type Conn struct {
	*net.TCPConn
	raw syscall.RawConn

	mark atomic.Int64 // for the next read; taken by it

	mu struct {
		sync.Mutex
		lowat   int  // as the socket has it
		waiting bool // a read with a mark is under way
		nudged  bool // and a read deadline set to end it
	}

	under atomic.Bool // there is TLS above

	// Of the reader.
	ahead      []byte // nil: reads go past it
	start, end int    // what of ahead is to be read
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
	c.mu.lowat = 1
	return c
}

// readAhead has the reader, which net/http may have started already, read through
// a buffer.
func (c *Conn) readAhead() { c.under.Store(true) }

func (c *Conn) expect(mark int) {
	if mark < worthwhile {
		mark = 0
	}
	c.mark.Store(int64(mark))
}

// nudge ends the wait of a read with a mark, and of no other: a deadline in the past
// wakes it, though what it has taken from the socket would not.
func (c *Conn) nudge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.waiting && !c.mu.nudged {
		c.mu.nudged = true
		c.SetReadDeadline(time.Unix(1, 0))
	}
}

// begin and finish bound the time in which nudge may act.
func (c *Conn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.waiting = true
}

func (c *Conn) finish() (nudged bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if nudged = c.mu.nudged; nudged {
		c.SetReadDeadline(time.Time{})
	}
	c.mu.waiting, c.mu.nudged = false, false
	return nudged
}

// Read waits for as many bytes as expect has said. The mark is taken by the first
// read after it: the next one may be net/http's, which waits for another response.
func (c *Conn) Read(p []byte) (int, error) {
	if !c.under.Load() || len(p) == 0 {
		return c.read(p)
	}
	if c.ahead == nil {
		c.ahead = make([]byte, aheadSize)
	}
	if c.start == c.end {
		n, err := c.read(c.ahead)
		if n <= 0 {
			return n, err
		}
		c.start, c.end = 0, n // an error comes again with the next read
	}
	n := copy(p, c.ahead[c.start:c.end])
	c.start += n
	return n, nil
}

func (c *Conn) read(p []byte) (int, error) {
	mark := min(int(c.mark.Swap(0)), len(p))
	if mark < worthwhile {
		c.setLowat(1)
		return c.TCPConn.Read(p)
	}
	return c.readMark(p, mark)
}

// readMark waits until mark bytes are there and returns them, with what else fits. A
// nudge has it return what it has, or else wait for anything.
func (c *Conn) readMark(p []byte, mark int) (int, error) {
	c.begin()
	n, err := c.gather(p, mark)
	nudged := c.finish()
	switch {
	case n > 0:
		return n, nil // an error will be met again
	case nudged && errors.Is(err, os.ErrDeadlineExceeded):
		c.setLowat(1)
		return c.TCPConn.Read(p)
	}
	return 0, err
}

// gather reads until it has mark bytes. A read of a socket that does not block takes
// no heed of the mark, only waiting does. Go's poller is edge-triggered: it must not
// be waited for before the socket has said EAGAIN.
func (c *Conn) gather(p []byte, mark int) (n int, err error) {
	waitErr := c.raw.Read(func(fd uintptr) bool {
		for n < mark {
			var m int
			m, err = unix.Read(int(fd), p[n:])
			switch {
			case err == unix.EINTR:
			case err == unix.EAGAIN:
				// If so much has come meanwhile, the kernel tells at once
				// (tcp_set_rcvlowat): no wake-up is lost in between.
				c.setLowat(mark - n)
				return false
			case err != nil:
				err = &net.OpError{Op: "read", Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError("read", err)}
				return true
			case m == 0:
				err = io.EOF
				return true
			default:
				n += m
			}
		}
		return true
	})
	if waitErr != nil {
		err = waitErr
	}
	return n, err
}

func (c *Conn) setLowat(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.lowat == n {
		return
	}
	c.mu.lowat = n
	c.raw.Control(func(fd uintptr) {
		// A kernel that refuses wakes the reader early, as without a mark.
		unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, n)
	})
}
