package bulk

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
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

// A read with a mark returns when so much has come, however small the pieces.
func TestReadWaitsForItsMark(t *testing.T) {
	c, peer := pair(t)
	want := make([]byte, 300_000)
	rand.Read(want)
	got := make([]byte, 512<<10)
	c.expect(len(want))
	done := start(c, got)
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

// The mark is for one read only: the next waits for a byte.
func TestMarkIsForOneRead(t *testing.T) {
	c, peer := pair(t)
	p := make([]byte, 64<<10)
	c.expect(40_000)
	done := start(c, p)
	send(t, peer, make([]byte, 40_000))
	if r := result(t, done); r.n != 40_000 {
		t.Fatalf("first read: got %d, %v, want 40000", r.n, r.err)
	}
	done = start(c, p)
	send(t, peer, []byte("x"))
	if r := result(t, done); r.n != 1 {
		t.Errorf("second read: got %d, %v, want 1 byte", r.n, r.err)
	}
}

func TestNudge(t *testing.T) {
	c, peer := pair(t)
	p := make([]byte, 64<<10)
	c.expect(60_000)
	done := start(c, p)
	send(t, peer, []byte("few"))
	deadline := time.After(20 * time.Second)
	// One may come before the read waits; the watch nudges until something comes.
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case r := <-done:
			if r.n != 3 || r.err != nil {
				t.Errorf("got %d, %v, want the 3 bytes that were there", r.n, r.err)
			}
			return
		case <-ticker.C:
			c.nudge()
		case <-deadline:
			t.Fatal("never returned")
		}
	}
}

// What came before the end of the stream, or a reset, is not lost, and the end
// is told.
func TestEndBeforeTheMark(t *testing.T) {
	c, peer := pair(t)
	p := make([]byte, 64<<10)
	c.expect(60_000)
	done := start(c, p)
	send(t, peer, make([]byte, 1000))
	peer.CloseWrite()
	if r := result(t, done); r.n != 1000 || r.err != nil {
		t.Errorf("got %d, %v, want the 1000 bytes", r.n, r.err)
	}
	c.expect(60_000)
	if r := result(t, start(c, p)); r.n != 0 || r.err != io.EOF {
		t.Errorf("then got %d, %v, want io.EOF", r.n, r.err)
	}
}

func TestReset(t *testing.T) {
	c, peer := pair(t)
	c.expect(60_000)
	done := start(c, make([]byte, 64<<10))
	peer.SetLinger(0)
	peer.Close()
	if r := result(t, done); !errors.Is(r.err, syscall.ECONNRESET) {
		t.Errorf("got %d, %v, want ECONNRESET", r.n, r.err)
	}
}

func TestCloseEndsTheWait(t *testing.T) {
	c, _ := pair(t)
	c.expect(60_000)
	done := start(c, make([]byte, 64<<10))
	c.Close()
	if r := result(t, done); !errors.Is(r.err, net.ErrClosed) {
		t.Errorf("got %d, %v, want net.ErrClosed", r.n, r.err)
	}
	c, _ = pair(t)
	c.expect(60_000)
	c.SetReadDeadline(time.Now().Add(-time.Second))
	if r := result(t, start(c, make([]byte, 64<<10))); !errors.Is(r.err, os.ErrDeadlineExceeded) {
		t.Errorf("got %d, %v, want os.ErrDeadlineExceeded", r.n, r.err)
	}
}

// Under TLS small reads are served from one large one.
func TestReadAhead(t *testing.T) {
	c, peer := pair(t)
	c.readAhead()
	want := make([]byte, 100_000)
	rand.Read(want)
	c.expect(len(want))
	go send(t, peer, want)
	var got []byte
	for p := make([]byte, 1234); len(got) < len(want); {
		n, err := c.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p[:n]...)
	}
	if !bytes.Equal(got, want) {
		t.Error("the bytes are not those sent")
	}
}
