//go:build unix

package ipc

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Available tells whether workers can be started on this platform.
const Available = true

// Pair returns the two ends of a new socket, both closed on exec.
func Pair() (parent, worker *os.File, err error) {
	fds, err := socketpair()
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "pool"), os.NewFile(uintptr(fds[1]), "worker"), nil
}

// Inherited returns the socket that a pool left at descriptor fd of this process.
func Inherited(fd int) (*os.File, error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return nil, fmt.Errorf("descriptor %d: %w", fd, err)
	}
	if _, ok := sa.(*unix.SockaddrUnix); !ok {
		return nil, fmt.Errorf("descriptor %d is not a Unix socket", fd)
	}
	unix.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "pool"), nil
}

func sendWithFile(socket *net.UnixConn, frame []byte, file *os.File) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var n int
	var sendErr error
	// Control keeps the descriptor open, and this file's, until it is in the socket.
	err = raw.Control(func(fd uintptr) {
		n, _, sendErr = socket.WriteMsgUnix(frame, unix.UnixRights(int(fd)), nil)
	})
	if err != nil {
		return &FileError{err}
	}
	if sendErr == nil && n < len(frame) {
		_, sendErr = socket.Write(frame[n:])
	}
	return sendErr
}

func receive(socket *net.UnixConn, p []byte) (int, []*os.File, error) {
	oob := make([]byte, unix.CmsgSpace(4*16))
	n, oobn, flags, _, err := socket.ReadMsgUnix(p, oob) // Go asks for close-on-exec here
	if err != nil {
		return 0, nil, err // n may be -1
	}
	if flags&unix.MSG_CTRUNC != 0 {
		// The kernel has dropped descriptors, and not their frames (recvmsg(2)).
		err = errors.New("ipc: a descriptor was lost: this process may hold too many (RLIMIT_NOFILE)")
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
