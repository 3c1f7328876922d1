package reexec

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/fence"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/worker"
)

// Serve serves the pool that has started this process as its Config.WorkerCommand.
func Serve(optFns []func(*s3.Options)) error {
	m := taken()
	err := m.unanswered()
	switch {
	case err != nil:
	case m.role == roleCommand:
		err = serve(optFns)
	case m.role == "" && m.major == "" && displaced():
		err = fmt.Errorf("a Config.WorkerCommand has lost %s: pass the environment on to this program", marker)
	default:
		return errors.New("processpool: ServeWorker is for a program that a pool starts as its Config.WorkerCommand")
	}
	if err != nil {
		return fmt.Errorf("processpool worker: %w", err)
	}
	return nil
}

// enter is a worker's first act.
var enter = sync.OnceValue(func() error {
	if fence.Privileged() {
		// Whoever may start the program would choose what it does with these rights.
		return errors.New("this program is set-user-ID, set-group-ID or has capabilities, and serves nobody: give a Config.WorkerCommand without them")
	}
	fence.Enter()
	return nil
})

func serve(optFns []func(*s3.Options)) error {
	if err := enter(); err != nil {
		return err
	}
	// Ctrl-C reaches every process of the foreground group. The application decides what becomes
	// of its downloads.
	signal.Ignore(os.Interrupt)
	worker.SetName("processpool")
	if err := fence.LayFilter(); err != nil {
		return err
	}
	socket, err := ipc.Inherited()
	if err != nil {
		return fmt.Errorf("no pool has started this process (%w): unset %s", err, marker)
	}
	conn, err := ipc.NewConn(socket)
	if err != nil {
		return fmt.Errorf("no pool has started this process (%w): unset %s", err, marker)
	}
	// The goroutine of an init is locked to the main thread. There each message of the pool would cost two
	// switches between threads.
	ended := make(chan error, 1)
	go func() { ended <- worker.Serve(conn, optFns...) }()
	return <-ended
}
