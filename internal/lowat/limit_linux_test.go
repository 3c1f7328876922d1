package lowat

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// unread returns how many bytes the kernel has received that nobody has read.
func unread(t *testing.T, c *Conn) (n int) {
	t.Helper()
	var err error
	c.raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// With a limit the kernel receives no further ahead than that, about, and after it as before.
func TestLimitedWindow(t *testing.T) {
	const limit, most = 32 << 10, 1 << 20 // most: of the large segments of loopback
	c, peer := pair(t)
	body := Body{conn: c}
	body.Window(limit)
	body.Widen(limit / 2) // changes nothing
	// fill sends until the connection takes no more, and returns how much it has taken.
	fill := func() int {
		peer.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		for {
			if _, err := peer.Write(make([]byte, 1<<20)); err != nil {
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatal(err)
				}
				return unread(t, c)
			}
		}
	}
	if got := fill(); got > most {
		t.Errorf("%d bytes were received ahead, want %d at most", got, most)
	}
	body.Widen(0)
	// What is sent again by then, or is on its way, is read.
	p := make([]byte, 1<<20)
	for read := 0; read < 8<<20; {
		n, err := c.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		read += n
		if unread(t, c) == 0 {
			fill()
		}
	}
	if got := fill(); got <= most {
		t.Errorf("without a limit %d bytes were received ahead, want more", got)
	}
}
