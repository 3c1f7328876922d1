package pool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
)

// kill kills the process. It does not wait: reap does. It may be called concurrently.
func (w *process) kill() {
	if err := w.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		w.pool.options.Logger.Error("could not kill worker", "worker", w.pid, "error", err)
	}
}

// reap closes the socket, waits for the process to end, and returns the error that tells how it
// ended. It kills a process that does not end within ExitTimeout. Only the seat's goroutine may call
// it.
func (w *process) reap(cause error) error {
	w.conn.Close()
	killed := make(chan struct{})
	grace := time.AfterFunc(w.pool.options.ExitTimeout, func() {
		defer close(killed)
		w.kill()
	})
	w.cmd.Wait() // the status is in ProcessState
	if !grace.Stop() {
		<-killed
	}
	w.stderr.flush()
	e := &lostError{
		pid:   w.pid,
		state: w.cmd.ProcessState,
		cause: cause,
		words: w.stderr.words(),
	}
	if w.silent.Load() {
		e.silent = w.patience()
	}
	if w.late.Load() {
		e.late = w.pool.options.CancelTimeout
	}
	return e
}

// lostError tells how a worker ended. It wraps failure.ErrWorkerLost.
type lostError struct {
	pid    int
	state  *os.ProcessState
	cause  error
	silent time.Duration // how long it did not answer, if it was killed for that; else 0
	late   time.Duration // how long it went on with a canceled job, if it was killed for that; else 0
	words  string        // of its standard error, see excerpt
}

func (e *lostError) Error() string { return failure.ErrWorkerLost.Error() + ": " + e.how() }

// how returns the error's text without that of ErrWorkerLost.
func (e *lostError) how() string {
	var b strings.Builder
	if broken, ok := errors.AsType[*brokenError](e.cause); ok { // that says all
		fmt.Fprintf(&b, "worker %d %v", e.pid, broken)
		if e.words != "" {
			fmt.Fprintf(&b, "; %s", e.words)
		}
		return b.String()
	}
	fmt.Fprintf(&b, "pid %d", e.pid)
	switch {
	case e.silent > 0:
		fmt.Fprintf(&b, ": killed because it did not answer for %v", e.silent)
	case e.late > 0:
		fmt.Fprintf(&b, ": killed because it did not end a job within %v of its cancel", e.late)
	case e.state != nil:
		fmt.Fprintf(&b, ": %v", e.state)
	}
	if e.cause != nil && e.cause != errEnded {
		fmt.Fprintf(&b, ": %v", e.cause)
	}
	if e.words != "" {
		fmt.Fprintf(&b, "; %s", e.words)
	}
	return b.String()
}

func (e *lostError) Unwrap() error { return failure.ErrWorkerLost }

// unprefixed returns err's text for a log record whose message tells already that a worker is lost.
func unprefixed(err error) string {
	if lost, ok := errors.AsType[*lostError](err); ok {
		return lost.how()
	}
	return err.Error()
}

// brokenError tells how a worker broke the protocol. It is killed at once.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return "broke the protocol: " + e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// errEnded is the error of a socket whose other side is closed.
var errEnded = errors.New("the worker closed its socket")

// ended returns errEnded for every error by which a socket reports that its other side is closed.
func ended(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return errEnded
	}
	return err
}
