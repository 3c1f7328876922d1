// Package ipc is the conversation between a pool and one of its workers: frames
// over one inherited Unix stream socket, descriptors beside them; on Windows over a named pipe.
//
// A frame is a length (four bytes, big-endian, of what follows), a kind (one
// byte) and a JSON body. A descriptor travels as SCM_RIGHTS with the first byte of
// its frame (unix(7)); the kernel never merges data across it, so descriptors
// arrive in the order of the frames that announce them. On Windows the pool
// duplicates the handle into the worker, and a Handle frame ahead of the message's says which it is there.
package ipc

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// MaxFrame bounds a frame's length in bytes. The largest real one carries the
// certificates of Config.CABundle.
const MaxFrame = 16 << 20

const headerSize = 5

// Conn sends and receives frames. Send may be called concurrently, Receive from
// one goroutine at a time; Close ends both.
type Conn struct {
	socket socket
	peer   *os.Process // the worker, on the pool's side; set by Peer

	// Of Receive alone.
	buf []byte // received, not yet taken
	at  int64  // place in the stream at which buf begins

	files struct {
		sync.Mutex
		untaken []arrival
		closed  bool
	}
	send struct {
		sync.Mutex
		buf []byte
	}
}

// arrival is a descriptor received, and the place in the stream behind the bytes that
// came with it: when those are taken, so is the frame that announced it.
type arrival struct {
	file *os.File
	end  int64
}

// NewConn takes over an end of Pair, or what Inherited returned, and closes f.
func NewConn(f End) (*Conn, error) {
	s, err := newSocket(f)
	if err != nil {
		return nil, err
	}
	return &Conn{socket: s}, nil
}

// Peer says which process is at the other end, before the first Send of a file.
func (c *Conn) Peer(worker *os.Process) { c.peer = worker }

// Close closes the socket and the descriptors nobody took.
func (c *Conn) Close() error {
	err := c.socket.Close()
	c.files.Lock()
	defer c.files.Unlock()
	c.files.closed = true
	for _, a := range c.files.untaken {
		a.file.Close()
	}
	c.files.untaken = nil
	return err
}

// SetReadDeadline bounds Receive, as for net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.socket.SetReadDeadline(t) }

// SetWriteDeadline bounds Send, as for net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.socket.SetWriteDeadline(t) }

// Send writes one message, with the descriptor of file where there is one. The
// file stays the caller's.
func (c *Conn) Send(m Message, file *os.File) error {
	if carriesFile(m) != (file != nil) {
		return fmt.Errorf("ipc: a %T with a file where none belongs, or without its own", m)
	}
	c.send.Lock()
	defer c.send.Unlock()
	frame, err := appendFrame(c.send.buf[:0], m)
	if err != nil {
		return err
	}
	c.send.buf = frame
	if file == nil {
		_, err = c.socket.Write(frame)
		return err
	}
	return c.sendWithFile(frame, file)
}

// Receive returns the next message and, for one that carries it, an open file
// that is then the caller's. At the end of the conversation it returns io.EOF.
func (c *Conn) Receive() (Message, *os.File, error) {
	for {
		m, n, err := decodeFrame(c.buf)
		if err != nil {
			return nil, nil, err
		}
		if n == 0 {
			if err := c.fill(); err != nil {
				return nil, nil, err
			}
			continue
		}
		c.buf = c.buf[n:]
		c.at += int64(n)
		if h, ok := m.(*Handle); ok {
			file, err := c.adopt(h)
			if err != nil {
				return nil, nil, err
			}
			c.keep([]*os.File{file}, c.at+1)
			continue
		}
		file, err := c.take(m)
		if err != nil {
			return nil, nil, err
		}
		return m, file, nil
	}
}

// take returns the file that came with m, the last frame received. A file that
// nobody announced ends the conversation: the next Job would get it for its own.
func (c *Conn) take(m Message) (file *os.File, err error) {
	c.files.Lock()
	defer c.files.Unlock()
	if carriesFile(m) {
		if len(c.files.untaken) == 0 {
			return nil, fmt.Errorf("ipc: a %T frame came without its descriptor", m)
		}
		file = c.files.untaken[0].file
		c.files.untaken = c.files.untaken[1:]
	}
	if len(c.files.untaken) > 0 && c.files.untaken[0].end <= c.at {
		if file != nil {
			file.Close()
		}
		return nil, fmt.Errorf("ipc: a %T frame came with a descriptor too many", m)
	}
	return file, nil
}

func (c *Conn) fill() error {
	if cap(c.buf)-len(c.buf) < 4096 {
		grown := make([]byte, len(c.buf), 2*len(c.buf)+16<<10)
		copy(grown, c.buf)
		c.buf = grown
	}
	n, files, err := receive(c.socket, c.buf[len(c.buf):cap(c.buf)])
	c.buf = c.buf[:len(c.buf)+n]
	c.keep(files, c.at+int64(len(c.buf)))
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return err
	case n == 0 && len(c.buf) > 0:
		return io.ErrUnexpectedEOF
	case n == 0:
		return io.EOF
	}
	return nil
}

// keep holds files until Receive takes them, by the place end in the stream, or Close closes them.
func (c *Conn) keep(files []*os.File, end int64) {
	c.files.Lock()
	defer c.files.Unlock()
	for _, f := range files {
		if c.files.closed {
			f.Close()
			continue
		}
		c.files.untaken = append(c.files.untaken, arrival{f, end})
	}
}

// FileError says that the descriptor to be sent was not open any more; nothing
// went out.
type FileError struct{ Err error }

func (e *FileError) Error() string { return "ipc: file to be sent: " + e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

func appendFrame(dst []byte, m Message) ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("ipc: encode %T: %w", m, err)
	}
	if len(body)+1 > MaxFrame {
		return nil, fmt.Errorf("ipc: a %T of %d bytes is over the limit of %d", m, len(body), MaxFrame)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(body)+1))
	dst = append(dst, byte(m.kind()))
	return append(dst, body...), nil
}

// decodeFrame reads the first frame of p and says how long it is; 0 means that
// more bytes are needed.
func decodeFrame(p []byte) (m Message, n int, err error) {
	if len(p) < headerSize {
		return nil, 0, nil
	}
	length := binary.BigEndian.Uint32(p)
	if length < 1 || length > MaxFrame {
		return nil, 0, fmt.Errorf("ipc: a frame of %d bytes is not of this protocol", length)
	}
	m = newMessage(kind(p[4]))
	if m == nil {
		return nil, 0, fmt.Errorf("ipc: frame of unknown kind %d", p[4])
	}
	end := 4 + int(length)
	if len(p) < end {
		return nil, 0, nil
	}
	if err := json.Unmarshal(p[headerSize:end], m); err != nil {
		return nil, 0, fmt.Errorf("ipc: decode %T: %w", m, err)
	}
	return m, end, nil
}
