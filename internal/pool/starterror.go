package pool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// startError is the error of a process that was not started. It is failure.ErrWorkerLost and, where
// a limit of the system is the cause, its syscall.Errno. It is none of the errors of package fs,
// although its cause may be: the application would take them for errors of the file that it asked
// for.
type startError struct {
	text  string
	limit error // a syscall.Errno; nil = another cause
}

func newStartError(c Command, err error) error {
	e := &startError{text: "start worker: " + c.explain(err)}
	var errno syscall.Errno
	if errors.As(err, &errno) && !ofFiles(errno) {
		e.limit = errno
	}
	return e
}

func (e *startError) Error() string { return e.text }

func (e *startError) Unwrap() []error {
	if e.limit == nil {
		return []error{failure.ErrWorkerLost}
	}
	return []error{failure.ErrWorkerLost, e.limit}
}

// ofFiles reports whether an errno is one of the errors of package fs.
func ofFiles(errno syscall.Errno) bool {
	for _, e := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed} {
		if errors.Is(errno, e) {
			return true
		}
	}
	return false
}

// explain returns the text of an error of exec.Cmd.Start. It says what is missing: os/exec opens
// the null device for a worker's standard input and output, and on Linux a worker is started from
// /proc/self/exe.
func (c Command) explain(err error) string {
	var path *fs.PathError
	if !errors.As(err, &path) {
		return err.Error()
	}
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case path.Path == os.DevNull && missing:
		return os.DevNull + " is missing"
	case path.Path == self && missing && !exists("/proc/self"):
		return "/proc is not mounted"
	case path.Path == self:
		return fmt.Sprintf("%s (%s): %v", c.name(), self, path.Err)
	}
	return err.Error()
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// lateError is the error of a worker whose message of the handshake does not come.
type lateError struct {
	what  string
	after time.Duration
}

func (e *lateError) Error() string { return fmt.Sprintf("no %s within %v", e.what, e.after) }

// hopeless reports whether a start that failed with err should not be tried again soon: it took
// StartTimeout, and so would the next, or the settings cannot be sent to any worker.
func hopeless(err error) bool {
	lost, ok := errors.AsType[*lostError](err)
	if !ok {
		return false
	}
	var late *lateError
	var unsendable *ipc.UnsendableError
	return errors.As(lost.cause, &late) || errors.As(lost.cause, &unsendable)
}

// Check returns an error if no worker could be started with the options, whatever the system does.
func (o Options) Check() error {
	s := o.Settings
	s.Seat = o.Processes
	if err := ipc.Check(&ipc.Setup{Version: ipc.Version, Settings: s}); err != nil {
		return fmt.Errorf("the settings for workers: %w", err)
	}
	return nil
}
