package fetch

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"unsafe"

	"github.com/s3processpool/processpool/internal/failure"
)

// bufferSize is how much of a body is collected before it is written. One write of 1 MiB costs far
// less than 32 writes of io.Copy's size.
const bufferSize = 1 << 20

// securePiece is the same under TLS. There a body comes in records of 16 KiB, each of which is
// copied twice before it is written and should then still be in the processor's cache.
const securePiece = 128 << 10

func pieceSize(conn net.Conn) int {
	if _, secure := conn.(*tls.Conn); secure {
		return securePiece
	}
	return bufferSize
}

// takeBuffer returns a buffer of bufferSize bytes that no one else uses.
func (c *Client) takeBuffer() []byte {
	select {
	case buf := <-c.buffers:
		return buf
	default:
		// With room to begin at an address that suits direct writes.
		const align = 64 << 10
		buf := make([]byte, bufferSize+align)
		skip := -uintptr(unsafe.Pointer(&buf[0])) & (align - 1)
		return buf[skip : skip+bufferSize]
	}
}

// returnBuffer keeps a buffer for the next Get.
func (c *Client) returnBuffer(buf []byte) {
	select {
	case c.buffers <- buf:
	default:
	}
}

// copy writes the body to the file, piece by piece. If the body breaks off, the bytes before the
// break are written, too.
func (g *get) copy(ctx context.Context, body io.Reader, w *watch) error {
	defer g.client.rate.enter()()
	for left := g.length - g.written; ; {
		n, readErr := g.fill(ctx, body, left, w)
		if int64(n) > left {
			return fmt.Errorf("%w: the body is longer than the %d bytes asked for", failure.ErrUnexpected, g.length)
		}
		if err := g.write(g.buf[:n]); err != nil {
			return err
		}
		left -= int64(n)
		switch {
		case readErr == io.EOF && left == 0:
			return nil
		case readErr == io.EOF:
			return &failure.Interrupted{Err: io.ErrUnexpectedEOF}
		case readErr != nil:
			return &failure.Interrupted{Err: readErr}
		}
	}
}

// fill reads until a piece is complete or the body ends; with Get.EachWrite it reads once. Behind the last byte it asks for one more,
// which shows whether the body ends there or is too long. Under a rate limit pieces are smaller.
func (g *get) fill(ctx context.Context, body io.Reader, left int64, w *watch) (n int, err error) {
	rate := g.client.rate
	room := int(min(left+1, rate.piece(int64(g.piece), g.want.Align), g.boundary()))
	for n < room && err == nil && !(n > 0 && g.want.EachWrite) {
		var m int
		due, most := left-int64(n), room-n
		if limit, limited := rate.read(); limited {
			// It wakes a few times a second in any case; a mark would keep it from what has arrived.
			due, most = 0, int(min(int64(most), limit))
		}
		g.body.Widen(rate.window())
		g.body.Expect(due)
		m, err = body.Read(g.buf[n : n+most])
		if m > 0 {
			w.alive()
		}
		n += m
		if waitErr := rate.wait(ctx, m, w); waitErr != nil && err == nil {
			err = waitErr
		}
	}
	return n, err
}

// boundary returns how many bytes there are to the offset in the file from which on pieces can be
// written past the page cache.
func (g *get) boundary() int64 {
	align := g.want.Align
	if align == 0 {
		return bufferSize
	}
	if odd := (g.first() - g.want.Base) % align; odd > 0 {
		return align - odd
	}
	return bufferSize
}

func (g *get) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	g.sums.Write(p)
	if _, err := g.dst.WriteAt(p, g.first()-g.want.Base); err != nil {
		return &failure.Local{Err: fmt.Errorf("write to the temporary file: %w", err)}
	}
	g.written += int64(len(p))
	if g.on.Progress != nil {
		g.on.Progress(g.written, g.length, g.sums)
	}
	return nil
}
