package pool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/s3processpool/processpool/internal/ipc"
)

// startWorker starts a process for a seat and completes the handshake with it.
func (p *Pool) startWorker(seat int) (*process, error) {
	w, err := p.spawn(seat)
	if err != nil {
		return nil, newStartError(p.options.Command, err)
	}
	if err := p.greet(w); err != nil {
		var late *lateError
		if errors.As(err, &late) {
			w.kill() // it has had its time
		}
		return nil, w.reap(fmt.Errorf("%s: %w", p.options.Command.name(), err))
	}
	return w, nil
}

// spawn starts a process for a seat.
func (p *Pool) spawn(seat int) (*process, error) {
	ours, theirs, err := ipc.Pair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close() // while a copy is open here, the worker's end does not close the socket
	conn, err := ipc.NewConn(ours)
	if err != nil {
		return nil, err
	}
	args := p.options.Command.Args
	w := newProcess(p, seat, conn)
	w.cmd = exec.Command(args[0], args[1:]...)
	if args[0] == self {
		w.cmd.Args[0] = os.Args[0] // for ps
	}
	w.cmd.Env = append(p.options.Command.environ(p.options.Settings.Slots), p.options.Fence.Environ()...)
	if err := conn.Bequeath(w.cmd, theirs); err != nil {
		conn.Close()
		return nil, err
	}
	// The thread that starts the worker may open nothing for writing any more.
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		conn.Close()
		return nil, err
	}
	defer null.Close()
	w.cmd.Stdin, w.cmd.Stdout = null, null
	// A child of the worker may keep standard error open. Wait does not wait for it longer than
	// this.
	w.cmd.WaitDelay = p.options.ExitTimeout
	err = p.launch(func() error { return w.stderr.startCommand(w.cmd) }, w.cmd)
	if err != nil {
		conn.Close()
		return nil, err
	}
	w.pid = w.cmd.Process.Pid
	conn.Peer(w.cmd.Process)
	return w, nil
}

// greet waits for the worker's Hello, sends the Setup, and waits for the Ready. It kills a worker
// that has not sent its Ready when the pool is stopped.
func (p *Pool) greet(w *process) error {
	killed := make(chan struct{})
	greeted := context.AfterFunc(p.stopped, func() {
		defer close(killed)
		w.kill()
	})
	defer func() {
		if !greeted() {
			<-killed
		}
	}()
	deadline := time.Now().Add(p.options.StartTimeout)
	w.conn.SetReadDeadline(deadline)
	w.conn.SetWriteDeadline(deadline)
	m, err := w.receive()
	if err != nil {
		return p.missing("hello", err)
	}
	hello, ok := m.(*ipc.Hello)
	if !ok {
		return fmt.Errorf("its first message is a %T, want a Hello", m)
	}
	// A worker of another version also gets its Setup, so that it can report the mismatch itself.
	settings := p.options.Settings
	settings.Seat = w.seat
	err = w.transmit(&ipc.Setup{Version: ipc.Version, Settings: settings}, nil)
	if hello.Version != ipc.Version {
		return fmt.Errorf("it has protocol version %d, this pool %d: build both from one version of the module",
			hello.Version, ipc.Version)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &lateError{"place for its settings in the socket", p.options.StartTimeout}
	}
	if err != nil {
		return fmt.Errorf("send its settings: %w", ended(err))
	}
	m, err = w.receive()
	if err != nil {
		return p.missing("answer to its settings", err)
	}
	if _, ok := m.(*ipc.Ready); !ok {
		return fmt.Errorf("its answer to its settings is a %T, want a Ready", m)
	}
	w.conn.SetReadDeadline(time.Time{})
	w.conn.SetWriteDeadline(time.Time{})
	return nil
}

// missing returns the error for a message of the handshake that did not come because of err.
func (p *Pool) missing(message string, err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &lateError{message, p.options.StartTimeout}
	case ended(err) == errEnded:
		return fmt.Errorf("no %s", message)
	}
	return fmt.Errorf("no %s: %w", message, err)
}
