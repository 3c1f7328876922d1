package ipc

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Conn sends and receives frames. Send and Close may be called concurrently with every other
// method. Only one goroutine at a time may call Receive. Close ends a Send or Receive that blocks.
type Conn struct {
	socket socket
	peer   *os.Process // the worker, on the pool's side; set by Peer

	// Only Receive uses these.
	buf []byte // received and not yet decoded
	at  int64  // offset in the stream at which buf begins

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

// arrival is a descriptor that was received.
type arrival struct {
	file *os.File
	// end is the offset in the stream behind the bytes that came with the descriptor. The frame
	// that announced it begins before that offset.
	end int64
}

// NewConn makes a Conn of an end of Pair or of what Inherited returned. It takes over f, and closes
// it even if it fails.
func NewConn(f End) (*Conn, error) {
	s, err := newSocket(f)
	if err != nil {
		return nil, err
	}
	return &Conn{socket: s}, nil
}

// Peer tells the pool's Conn which process is at the other end. It must be called before the first
// Send of a file, and before the first Receive. From then on Receive takes no descriptors: a worker
// sends none, and those of one that does anyway would stay open in this process.
func (c *Conn) Peer(worker *os.Process) { c.peer = worker }

// Close closes the socket, and the descriptors that Receive has not returned.
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

// SetReadDeadline sets the time after which Receive fails, as net.Conn does.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.socket.SetReadDeadline(t) }

// SetWriteDeadline sets the time after which Send fails, as net.Conn does.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.socket.SetWriteDeadline(t) }

// maxKept is how large a buffer Send keeps for the next message.
const maxKept = 1 << 20

// Send writes one message, with the descriptor of file for a message that carries one. The caller
// keeps file and must close it.
//
// After an *UnsendableError or a *FileError nothing was sent, and the next Send may succeed. After
// any other error a part of the frame may have been sent: the conversation is over, and the caller
// must close the Conn.
func (c *Conn) Send(m Message, file *os.File) error {
	if carriesFile(m) != (file != nil) {
		if file == nil {
			return fmt.Errorf("ipc: send %T: its file is missing", m)
		}
		return fmt.Errorf("ipc: send %T: it carries no file", m)
	}
	if file == nil {
		return c.SendAll(m)
	}
	c.send.Lock()
	defer c.send.Unlock()
	frame, err := c.frame(m)
	if err != nil {
		return err
	}
	return c.sendWithFile(frame, file)
}

// SendAll is Send for several messages, none of which carries a file, in one write: the receiver
// wakes up once.
func (c *Conn) SendAll(messages ...Message) error {
	c.send.Lock()
	defer c.send.Unlock()
	frames, err := c.frame(messages...)
	if err != nil {
		return err
	}
	_, err = c.socket.Write(frames)
	return err
}

// frame returns the frames of the messages. It needs the lock.
func (c *Conn) frame(messages ...Message) (frames []byte, err error) {
	frames = c.send.buf[:0]
	for _, m := range messages {
		if frames, err = appendFrame(frames, m); err != nil {
			return nil, err
		}
	}
	if cap(frames) <= maxKept {
		c.send.buf = frames
	}
	return frames, nil
}

// Receive returns the next message and, for a message that carries one, an open file. The caller
// must close the file. At the end of the conversation Receive returns io.EOF, or
// io.ErrUnexpectedEOF inside a frame.
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

// take returns the file that came with m, the last frame received. A file that no frame announced
// ends the conversation, for the next Job would take it for its own.
func (c *Conn) take(m Message) (file *os.File, err error) {
	c.files.Lock()
	defer c.files.Unlock()
	if carriesFile(m) {
		if len(c.files.untaken) == 0 {
			return nil, fmt.Errorf("ipc: receive %T: its descriptor is missing", m)
		}
		file = c.files.untaken[0].file
		c.files.untaken = c.files.untaken[1:]
	}
	if len(c.files.untaken) > 0 && c.files.untaken[0].end <= c.at {
		if file != nil {
			file.Close()
		}
		return nil, fmt.Errorf("ipc: receive %T: a descriptor came that it does not carry", m)
	}
	return file, nil
}

// fill reads more of the stream into buf.
func (c *Conn) fill() error {
	if cap(c.buf)-len(c.buf) < 4096 {
		grown := make([]byte, len(c.buf), 2*len(c.buf)+16<<10)
		copy(grown, c.buf)
		c.buf = grown
	}
	n, files, err := receive(c.socket, c.buf[len(c.buf):cap(c.buf)], c.peer == nil)
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

// keep holds files until Receive returns them or Close closes them. They came with bytes that end
// at the offset end of the stream.
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

// FileError is the error of a Send whose file is closed. Nothing was sent.
type FileError struct{ Err error }

func (e *FileError) Error() string { return "ipc: send a file: " + e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }
