//go:build unix

package osfile

import (
	"io/fs"
	"os"
)

// control makes a system call while the descriptor is certain to be that of f.
func control(f *os.File, call func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	if err := conn.Control(func(fd uintptr) { result = call(int(fd)) }); err != nil {
		return fs.ErrClosed // what Control says of it is no error of package os
	}
	return result
}
