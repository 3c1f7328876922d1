package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// The exit statuses. A signal that interrupts s3get adds its number to exitSignal, as in a shell:
// 130 for Ctrl-C, 143 for SIGTERM, 129 for a terminal that was closed.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitSignal = 128
)

// interruption is the cause of a context that a signal has ended.
type interruption struct{ signal syscall.Signal }

func (i interruption) Error() string { return i.signal.String() }

func (i interruption) status() int { return exitSignal + int(i.signal) }

// statusOf returns the exit status of an interrupted command.
func statusOf(ctx context.Context) int {
	var i interruption
	if errors.As(context.Cause(ctx), &i) {
		return i.status()
	}
	return interruption{syscall.SIGINT}.status()
}

// interruptible returns a context that the first signal ends. The second signal ends the process.
func interruptible() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it
		signal.Notify(signals, syscall.SIGHUP)
	}
	next := func() interruption {
		number, _ := (<-signals).(syscall.Signal)
		return interruption{number}
	}
	go func() {
		cancel(next())
		i := next()
		fmt.Fprintf(os.Stderr, "%ss3get: ended at once: temporary files may be left behind; their names end in a dot and 8 hex digits\n", lineStart(os.Stderr))
		os.Exit(i.status())
	}()
	return ctx
}

// lineStart returns what moves the cursor to the start of the line if w is a terminal: the terminal
// has echoed Ctrl-C as ^C.
func lineStart(w io.Writer) string {
	if isTerminal(w) {
		return "\r"
	}
	return ""
}
