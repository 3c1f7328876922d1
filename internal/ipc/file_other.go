//go:build !unix && !windows

package ipc

import (
	"errors"
	"net"
	"os"
	"os/exec"
)

// Available reports whether workers can be started on this platform.
const Available = false

// End is one end of a Pair.
type End = *os.File

// Pair returns errors.ErrUnsupported.
func Pair() (parent, worker End, err error) { return nil, nil, errors.ErrUnsupported }

// Bequeath returns errors.ErrUnsupported.
func (c *Conn) Bequeath(*exec.Cmd, End) error { return errors.ErrUnsupported }

// Inherited returns errors.ErrUnsupported.
func Inherited() (End, error) { return nil, errors.ErrUnsupported }

// Bequeathed reports false.
func Bequeathed() bool { return false }

type socket = net.Conn

func newSocket(End) (socket, error) { return nil, errors.ErrUnsupported }

func (c *Conn) sendWithFile([]byte, *os.File) error { return errors.ErrUnsupported }

func (c *Conn) adopt(*Handle) (*os.File, error) { return nil, errors.ErrUnsupported }

func receive(s socket, p []byte, _ bool) (int, []*os.File, error) {
	n, err := s.Read(p)
	return n, nil, err
}
