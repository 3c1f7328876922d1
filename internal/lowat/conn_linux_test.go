package lowat

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair returns a connection of this package and its peer.
func pair(t *testing.T) (*Conn, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := DialContext(new(net.Dialer).DialContext)(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); peer.Close() })
	return conn.(*Conn), peer.(*net.TCPConn)
}

func send(t *testing.T, w io.Writer, p []byte) {
	t.Helper()
	if _, err := w.Write(p); err != nil {
		t.Error(err)
	}
}

type read struct {
	n   int
	err error
}

func start(c *Conn, p []byte) <-chan read {
	done := make(chan read, 1)
	go func() {
		n, err := c.Read(p)
		done <- read{n, err}
	}()
	return done
}

func result(t *testing.T, done <-chan read) read {
	t.Helper()
	select {
	case r := <-done:
		return r
	case <-time.After(20 * time.Second):
		t.Fatal("the read never returned")
		panic("not reached")
	}
}

// waits returns when a read waits for lowat bytes.
func waits(t *testing.T, c *Conn, lowat int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; runtime.Gosched() {
		c.mu.Lock()
		now := c.mu.lowat
		c.mu.Unlock()
		if now == lowat {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a read waits for %d bytes, want %d", now, lowat)
		}
	}
}

// readAll checks that this read and the following ones return want bytes. A kernel that is short of
// memory wakes a reader before its mark.
func readAll(t *testing.T, c *Conn, done <-chan read, p []byte, want int) {
	t.Helper()
	for r := result(t, done); ; r = result(t, start(c, p)) {
		if want -= r.n; r.err != nil || want <= 0 {
			if want != 0 {
				t.Errorf("%d bytes are missing: %v", want, r.err)
			}
			return
		}
	}
}

// A read that finds no data returns when all due bytes have arrived, however small the pieces.
func TestReadWaitsForItsMark(t *testing.T) {
	c, peer := pair(t)
	want := make([]byte, 40_000)
	rand.Read(want)
	got := make([]byte, 64<<10)
	c.expect(int64(len(want)))
	done := start(c, got)
	waits(t, c, len(want))
	for rest := want; len(rest) > 0; {
		n := min(len(rest), 777)
		send(t, peer, rest[:n])
		rest = rest[n:]
		if len(rest) > 0 {
			select {
			case r := <-done:
				t.Fatalf("returned %d bytes with %d still to come", r.n, len(rest))
			default:
			}
		}
	}
	r := result(t, done)
	if r.err != nil || r.n != len(want) || !bytes.Equal(got[:r.n], want) {
		t.Errorf("got %d bytes, %v, want the %d sent", r.n, r.err, len(want))
	}
}

// A read that finds data returns it, and the next one waits for the rest.
func TestReadTakesWhatIsThere(t *testing.T) {
	c, peer := pair(t)
	p := make([]byte, 64<<10)
	send(t, peer, make([]byte, 10))
	c.expect(40_010)
	if r := result(t, start(c, p)); r.n != 10 {
		t.Fatalf("first read: got %d, %v, want 10", r.n, r.err)
	}
	done := start(c, p)
	waits(t, c, 40_000)
	go send(t, peer, make([]byte, 40_000))
	readAll(t, c, done, p, 40_000)
}

// However much is due, a read waits for no more than a socket can hold.
func TestMarkIsBounded(t *testing.T) {
	c, _ := pair(t)
	c.expect(1 << 40)
	done := start(c, make([]byte, 64<<10))
	waits(t, c, maxMark)
	c.Close()
	result(t, done)
}

// The receive buffer is larger than the mark.
func TestWindow(t *testing.T) {
	var least, usual, most int
	limits, err := os.ReadFile("/proc/sys/net/ipv4/tcp_rmem")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(limits), &least, &usual, &most); err != nil || most < 2*window {
		t.Skipf("this system allows a connection no more than %d bytes (%v)", most, err)
	}
	c, _ := pair(t)
	c.expect(1 << 40)
	done := start(c, make([]byte, 64<<10))
	waits(t, c, maxMark)
	room := 0
	c.raw.Control(func(fd uintptr) { room, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF) })
	if err != nil || room < window {
		t.Errorf("got room for %d bytes, %v, want %d", room, err, window)
	}
	c.Close()
	result(t, done)
}

// If nothing is due any more, or only little, a read waits for one byte.
func TestNothingIsDue(t *testing.T) {
	c, peer := pair(t)
	p := make([]byte, 64<<10)
	c.expect(40_000)
	done := start(c, p)
	send(t, peer, make([]byte, 40_000))
	readAll(t, c, done, p, 40_000)
	if due := c.due.Load(); due != 0 {
		t.Errorf("%d bytes are due, want none", due)
	}
	for _, due := range []int64{0, worthwhile - 1, -5} {
		c.expect(due)
		done = start(c, p)
		send(t, peer, []byte("x"))
		if r := result(t, done); r.n != 1 {
			t.Errorf("with %d bytes due: got %d, %v, want 1 byte", due, r.n, r.err)
		}
	}
}

func TestNudge(t *testing.T) {
	c, peer := pair(t)
	p := make([]byte, 64<<10)
	c.expect(40_000)
	done := start(c, p)
	waits(t, c, 40_000)
	send(t, peer, []byte("few"))
	c.nudge()
	if r := result(t, done); r.n != 3 || r.err != nil {
		t.Errorf("got %d, %v, want the 3 bytes that were there", r.n, r.err)
	}
	// The next read waits for the due bytes again.
	done = start(c, p)
	waits(t, c, 39_997)
	send(t, peer, make([]byte, 39_997))
	readAll(t, c, done, p, 39_997)
}

// The bytes before the end of the stream, or before a reset, are not lost, and the read after them
// returns the error.
func TestEndBeforeTheMark(t *testing.T) {
	c, peer := pair(t)
	p := make([]byte, 64<<10)
	c.expect(40_000)
	done := start(c, p)
	send(t, peer, make([]byte, 1000))
	peer.CloseWrite()
	if r := result(t, done); r.n != 1000 || r.err != nil {
		t.Errorf("got %d, %v, want the 1000 bytes", r.n, r.err)
	}
	if r := result(t, start(c, p)); r.n != 0 || r.err != io.EOF {
		t.Errorf("then got %d, %v, want io.EOF", r.n, r.err)
	}
}

func TestReset(t *testing.T) {
	c, peer := pair(t)
	c.expect(40_000)
	done := start(c, make([]byte, 64<<10))
	peer.SetLinger(0)
	peer.Close()
	if r := result(t, done); !errors.Is(r.err, syscall.ECONNRESET) {
		t.Errorf("got %d, %v, want ECONNRESET", r.n, r.err)
	}
}

func TestCloseEndsTheWait(t *testing.T) {
	c, _ := pair(t)
	c.expect(40_000)
	done := start(c, make([]byte, 64<<10))
	c.Close()
	if r := result(t, done); !errors.Is(r.err, net.ErrClosed) {
		t.Errorf("got %d, %v, want net.ErrClosed", r.n, r.err)
	}
	c, _ = pair(t)
	c.expect(40_000)
	c.SetReadDeadline(time.Now().Add(-time.Second))
	if r := result(t, start(c, make([]byte, 64<<10))); !errors.Is(r.err, os.ErrDeadlineExceeded) {
		t.Errorf("got %d, %v, want os.ErrDeadlineExceeded", r.n, r.err)
	}
}
