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

// worthwhile is the smallest mark, in bytes, that is worth a system call.
const worthwhile = 16 << 10

// window is the size of a new connection's receive buffer, in bytes. It is several marks, so that
// the sender can continue while the reader waits for a mark and reads it. A mark makes the kernel
// reserve space for that mark only and clamp the window to it (tcp_set_rcvlowat), unless it has
// already found that the connection needs more.
const window = 4 * maxMark

// Conn is a TCP connection with a low-water mark. Only one goroutine may read at a time, as in
// net/http.
type Conn struct {
	*net.TCPConn
	raw syscall.RawConn

	due   atomic.Int64 // bytes that are certain to arrive
	limit atomic.Int64 // of one read, in bytes; 0 = none

	mu struct {
		sync.Mutex
		lowat  int // the socket's current mark
		window int // the limit of its receive window, in bytes; 0 = none
	}

	// Used by the reading goroutine only.
	try func(fd uintptr) bool // c.read, allocated once
	p   []byte                // buffer of the current read
	n   int                   // number of bytes read into p
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

// nudge ends a wait if at least one byte has arrived: setting a lower mark makes the kernel check
// again (tcp_set_rcvlowat). The next wait sets its own mark.
func (c *Conn) nudge() { c.raw.Control(func(fd uintptr) { c.setLowat(fd, 1) }) }

// established is TCP_ESTABLISHED of the kernel's enumeration of states, from 1 (include/net/tcp_states.h).
const established = 1

func (c *Conn) ended() (ended bool) {
	c.raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		ended = err == nil && info.State != established
	})
	return ended
}

// Read returns the bytes that have arrived. If there are none, it waits for the bytes that are due,
// up to maxMark.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return c.TCPConn.Read(p)
	}
	if limit := c.limit.Load(); limit > 0 && limit < int64(len(p)) {
		p = p[:limit] // or ReadAhead would make room for the sender before the limit allows it
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

// read makes one attempt to read. Go's poller is edge-triggered, so read must not return false
// before the socket has returned EAGAIN.
func (c *Conn) read(fd uintptr) (done bool) {
	for {
		n, err := unix.Read(int(fd), c.p)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			// If that many bytes have arrived meanwhile, the kernel wakes the poller at once. No
			// wake-up is lost.
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

// mark returns the low-water mark of the next wait, in bytes.
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
	// On an error the reader wakes early, as without a mark.
	unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, n)
}

// soBufLock is SO_BUF_LOCK of socket(7), since Linux 5.14. 0 has the kernel choose the size of buffers.
const soBufLock = 72

// setWindow sets the size of the receive buffer, or leaves it to the kernel again (0), as for a new
// connection. TCP_WINDOW_CLAMP would be the lighter way, but current kernels raise the clamp again.
func (c *Conn) setWindow(n int, narrow bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.window == n || !narrow && (c.mu.window == 0 || n != 0 && n < c.mu.window) {
		return
	}
	c.mu.window = n
	c.limit.Store(int64(n))
	c.raw.Control(func(fd uintptr) {
		// On an error the kernel receives ahead, or as little as before.
		if n > 0 {
			// A sender waits for a timer where the window does not hold some segments. They are large
			// on loopback only.
			mss, _ := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG)
			n = max(n, 4*mss)
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, n/2) // which it doubles
			return
		}
		unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, soBufLock, 0)
		unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, window)
		unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, max(1, c.mu.lowat))
	})
}
