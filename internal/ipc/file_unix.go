//go:build unix

package ipc

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// Available reports whether workers can be started on this platform.
const Available = true

// End is one end of a Pair.
type End = *os.File

// Pair returns the two ends of a new socket. Both are closed on exec.
func Pair() (parent, worker End, err error) {
	fds, err := socketpair()
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "pool"), os.NewFile(uintptr(fds[1]), "worker"), nil
}

// inheritedFD is the descriptor of a worker's socket: the first of exec.Cmd.ExtraFiles.
const inheritedFD = 3

// greeting is what a pool sends before it starts the worker. All versions of this module must send
// the same. Its first four bytes are no length of a frame.
var greeting = []byte("\x00\x00\x00\x00processpool\n")

// Bequeath has the process that cmd will start inherit the worker's end of a Pair. It writes the
// greeting to the pool's end.
func (c *Conn) Bequeath(cmd *exec.Cmd, worker End) error {
	cmd.ExtraFiles = []*os.File{worker}
	_, err := c.socket.Write(greeting)
	return err
}

// Inherited returns the socket that this process has inherited from its pool, and takes the greeting
// from it.
func Inherited() (End, error) { return inherited(inheritedFD) }

// Bequeathed reports whether this process has inherited a worker's socket whose greeting nobody has
// taken.
func Bequeathed() bool { return bequeathed(inheritedFD) }

func bequeathed(fd int) bool {
	if !greeted(fd, unix.MSG_PEEK) {
		return false
	}
	// The worker's end of a pool of this very process may be open here. It is closed on exec.
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil && flags&unix.FD_CLOEXEC == 0
}

// greeted reports whether the next bytes of a socket are the greeting.
func greeted(fd, flags int) bool {
	p := make([]byte, len(greeting))
	for {
		n, _, err := unix.Recvfrom(fd, p, unix.MSG_DONTWAIT|flags)
		if err != unix.EINTR {
			return err == nil && bytes.Equal(p[:n], greeting)
		}
	}
}

func inherited(fd int) (End, error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return nil, fmt.Errorf("descriptor %d: %w", fd, err)
	}
	if _, ok := sa.(*unix.SockaddrUnix); !ok {
		return nil, fmt.Errorf("descriptor %d is not a Unix socket", fd)
	}
	if !greeted(fd, 0) {
		return nil, fmt.Errorf("no pool is at the other end of descriptor %d", fd)
	}
	unix.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "pool"), nil
}

type socket = *net.UnixConn

func newSocket(f End) (socket, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	s, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, fmt.Errorf("ipc: a %T is not a Unix socket", c)
	}
	return s, nil
}

func (c *Conn) sendWithFile(frame []byte, file *os.File) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var n int
	var sendErr error
	// Control keeps the descriptor open, and of this file, until the kernel has taken it.
	err = raw.Control(func(fd uintptr) {
		n, _, sendErr = c.socket.WriteMsgUnix(frame, unix.UnixRights(int(fd)), nil)
	})
	if err != nil {
		return &FileError{err}
	}
	if sendErr == nil && n < len(frame) {
		_, sendErr = c.socket.Write(frame[n:])
	}
	return sendErr
}

// adopt fails: only Windows announces descriptors in the stream.
func (c *Conn) adopt(*Handle) (*os.File, error) {
	return nil, errors.New("ipc: receive Handle: only Windows uses it")
}

// errDescriptor is the error of a Receive that takes no descriptors.
var errDescriptor = errors.New("ipc: a descriptor came, and none may come from there")

// receive reads a piece of the stream, and the files that came with it if it takes any. Without
// room for them the kernel closes them before it returns, and says so by MSG_CTRUNC (recvmsg(2);
// scm_recv in include/net/scm.h).
func receive(s socket, p []byte, takes bool) (int, []*os.File, error) {
	if !takes {
		n, _, flags, _, err := s.ReadMsgUnix(p, nil)
		switch {
		case err != nil:
			return 0, nil, err // n may be -1
		case flags&unix.MSG_CTRUNC != 0:
			return n, nil, errDescriptor
		}
		return n, nil, nil
	}
	oob := make([]byte, unix.CmsgSpace(4*16))
	n, oobn, flags, _, err := s.ReadMsgUnix(p, oob) // Go asks for close-on-exec here
	if err != nil {
		return 0, nil, err // n may be -1
	}
	if flags&unix.MSG_CTRUNC != 0 {
		// The kernel has dropped descriptors, but not their frames (recvmsg(2)).
		err = errors.New("ipc: a descriptor was lost: too many may be open (RLIMIT_NOFILE)")
	}
	if oobn == 0 {
		return n, nil, err
	}
	control, parseErr := unix.ParseSocketControlMessage(oob[:oobn])
	if parseErr != nil {
		return n, nil, fmt.Errorf("ipc: control message: %w", parseErr)
	}
	var files []*os.File
	for i := range control {
		fds, err := unix.ParseUnixRights(&control[i])
		if err != nil {
			continue // not SCM_RIGHTS
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "temporary file"))
		}
	}
	return n, files, err
}
