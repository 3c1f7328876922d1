package cli

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// interruption is what signals ask for: the first one to take up nothing new, the second to stop.
type interruption struct {
	ctx    context.Context // ends with the second signal, or with stop
	stop   context.CancelFunc
	drain  chan struct{} // closed by the first
	number atomic.Int32
}

func newInterruption(parent context.Context) *interruption {
	i := &interruption{drain: make(chan struct{})}
	i.ctx, i.stop = context.WithCancel(parent)
	return i
}

// signals returns what SIGINT, SIGTERM and SIGHUP ask for. The third ends the process.
func signals() *interruption {
	i := newInterruption(context.Background())
	c := make(chan os.Signal, 3)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it
		signal.Notify(c, syscall.SIGHUP)
	}
	go func() {
		i.signal(<-c)
		i.signal(<-c)
		<-c
		os.Exit(i.exit())
	}()
	return i
}

func (i *interruption) signal(s os.Signal) {
	number, _ := s.(syscall.Signal)
	if i.number.CompareAndSwap(0, int32(number)) {
		close(i.drain)
		return
	}
	i.stop()
}

func (i *interruption) signaled() bool { return i.number.Load() != 0 }
func (i *interruption) exit() int      { return exitSignal + int(i.number.Load()) }

// untilDrain returns a context that the first signal ends.
func (i *interruption) untilDrain() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(i.ctx)
	go func() {
		select {
		case <-i.drain:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
