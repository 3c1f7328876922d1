//go:build !unix

package ipc

import (
	"errors"
	"net"
	"os"
)

// Available tells whether workers can be started on this platform.
const Available = false

// Pair is not available here.
func Pair() (parent, worker *os.File, err error) { return nil, nil, errors.ErrUnsupported }

// Inherited is not available here.
func Inherited(int) (*os.File, error) { return nil, errors.ErrUnsupported }

func sendWithFile(*net.UnixConn, []byte, *os.File) error { return errors.ErrUnsupported }

func receive(socket *net.UnixConn, p []byte) (int, []*os.File, error) {
	n, err := socket.Read(p)
	return n, nil, err
}
