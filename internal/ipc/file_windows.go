package ipc

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Available reports whether workers can be started on this platform.
const Available = true

// pipeBuffer is how many bytes of each direction the system holds before a Send blocks.
const pipeBuffer = 64 << 10

// End is one end of a Pair. It is not an *os.File, which would bind the pipe to this process's
// completion port for good, so that the worker could not wait on its end.
type End = *end

type end struct{ handle windows.Handle }

// Close closes the end, unless a Conn has taken it over.
func (e *end) Close() error {
	handle := e.handle
	if handle == windows.InvalidHandle {
		return os.ErrClosed
	}
	e.handle = windows.InvalidHandle
	return windows.CloseHandle(handle)
}

// Pair returns the two ends of a new pipe. Only a process started with Bequeath inherits the
// worker's end. The pipe admits one client, its name is random, and it rejects other machines.
func Pair() (parent, worker End, err error) {
	name, err := windows.UTF16PtrFromString(`\\.\pipe\processpool-` + rand.Text())
	if err != nil {
		return nil, nil, err
	}
	server, err := windows.CreateNamedPipe(name,
		windows.PIPE_ACCESS_DUPLEX|windows.FILE_FLAG_OVERLAPPED|windows.FILE_FLAG_FIRST_PIPE_INSTANCE,
		windows.PIPE_TYPE_BYTE|windows.PIPE_READMODE_BYTE|windows.PIPE_WAIT|windows.PIPE_REJECT_REMOTE_CLIENTS,
		1, pipeBuffer, pipeBuffer, 0, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("create a named pipe: %w", err)
	}
	inherit := &windows.SecurityAttributes{InheritHandle: 1}
	inherit.Length = uint32(unsafe.Sizeof(*inherit))
	client, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, inherit,
		windows.OPEN_EXISTING, windows.FILE_FLAG_OVERLAPPED, 0)
	if err != nil {
		windows.CloseHandle(server)
		return nil, nil, fmt.Errorf("open the named pipe: %w", err)
	}
	return &end{server}, &end{client}, nil
}

// inheritedVariable is the environment variable with the number of a worker's handle.
const inheritedVariable = "PROCESSPOOL_PIPE"

// Bequeath has the process that cmd will start inherit the worker's end of a Pair.
func (c *Conn) Bequeath(cmd *exec.Cmd, worker End) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	attr := cmd.SysProcAttr
	attr.AdditionalInheritedHandles = append(attr.AdditionalInheritedHandles, syscall.Handle(worker.handle))
	cmd.Env = append(cmd.Environ(), fmt.Sprintf("%s=%d", inheritedVariable, worker.handle))
	return nil
}

// Bequeathed reports whether this process has the number of a worker's handle, which nobody has
// taken.
func Bequeathed() bool { return os.Getenv(inheritedVariable) != "" }

// Inherited returns the pipe that this process has inherited from its pool.
func Inherited() (End, error) {
	text := os.Getenv(inheritedVariable)
	os.Unsetenv(inheritedVariable)
	number, err := strconv.ParseUint(text, 10, 0)
	if err != nil {
		return nil, fmt.Errorf("%s=%q is not the number of a handle", inheritedVariable, text)
	}
	handle := windows.Handle(number)
	if kind, err := windows.GetFileType(handle); err != nil || kind != windows.FILE_TYPE_PIPE {
		return nil, fmt.Errorf("handle %d is not a pipe", number)
	}
	if err := windows.SetHandleInformation(handle, windows.HANDLE_FLAG_INHERIT, 0); err != nil {
		return nil, fmt.Errorf("handle %d: %w", number, err)
	}
	return &end{handle}, nil
}

// socket is a named pipe that reports its closing with the errors of a Unix socket.
type socket struct{ *os.File }

func newSocket(e End) (socket, error) {
	handle := e.handle
	e.handle = windows.InvalidHandle
	return socket{os.NewFile(uintptr(handle), "pipe")}, nil
}

func (s socket) Write(p []byte) (int, error) {
	n, err := s.File.Write(p)
	return n, ended(err, syscall.EPIPE)
}

// ended returns end for an error that means that the other side has closed the pipe.
func ended(err, end error) error {
	if errors.Is(err, os.ErrClosed) {
		return net.ErrClosed
	}
	if errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA) ||
		errors.Is(err, windows.ERROR_PIPE_NOT_CONNECTED) {
		return end
	}
	return err
}

func (c *Conn) sendWithFile(frame []byte, file *os.File) error {
	if c.peer == nil {
		return errors.New("ipc: send a file: Peer has not been called")
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var theirs windows.Handle
	var dupErr error
	err = raw.Control(func(ours uintptr) { theirs, dupErr = duplicate(windows.Handle(ours), c.peer) })
	if err != nil {
		return &FileError{err}
	}
	if dupErr != nil {
		return fmt.Errorf("ipc: duplicate a handle into the worker: %w", dupErr)
	}
	// If the Send fails, the pool kills the worker, and that closes the handle.
	both, err := appendFrame(nil, &Handle{Number: uint64(theirs)})
	if err != nil {
		return err
	}
	_, err = c.socket.Write(append(both, frame...))
	return err
}

// duplicate duplicates the handle ours into another process and returns its number there.
func duplicate(ours windows.Handle, process *os.Process) (theirs windows.Handle, err error) {
	gone := process.WithHandle(func(uintptr) { // until this returns the id is not reused
		var target windows.Handle
		if target, err = windows.OpenProcess(windows.PROCESS_DUP_HANDLE, false, uint32(process.Pid)); err != nil {
			return
		}
		defer windows.CloseHandle(target)
		err = windows.DuplicateHandle(windows.CurrentProcess(), ours, target, &theirs, 0, false,
			windows.DUPLICATE_SAME_ACCESS)
	})
	return theirs, cmp.Or(gone, err)
}

// adopt opens the handle that the pool has duplicated into this process.
func (c *Conn) adopt(h *Handle) (*os.File, error) {
	if c.peer != nil {
		// The number would be that of a handle of the pool's own.
		return nil, errors.New("ipc: receive Handle: a worker must not send it")
	}
	return os.NewFile(uintptr(h.Number), "temporary file"), nil
}

// receive reads a piece of the stream. No files come with it.
func receive(s socket, p []byte, _ bool) (int, []*os.File, error) {
	n, err := s.Read(p)
	return n, nil, ended(err, io.EOF)
}
