package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// crew are the workers of s3fleet run: processes of this program. Each ends when its standard input
// does, so that none outlives this process, however that ends.
type crew struct {
	p    *program
	args []string
	url  string
	n    int

	drain context.Context // ends when the workers are to end
	stop  context.CancelFunc
	seats sync.WaitGroup
	mu    struct {
		sync.Mutex
		errs []error
	}
}

// maxRestarts is how often a worker that is killed or crashes is started again.
const maxRestarts = 5

func newCrew(p *program, args []string, url string, n int) *crew {
	c := &crew{p: p, args: args, url: url, n: n}
	c.drain, c.stop = p.interrupt.untilDrain()
	return c
}

// start starts the workers.
func (c *crew) start() {
	for range c.n {
		c.seats.Add(1)
		go func() {
			defer c.seats.Done()
			if err := c.seat(); err != nil {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.mu.errs = append(c.mu.errs, err)
			}
		}()
	}
}

// wait waits until all workers have ended.
func (c *crew) wait() error {
	c.seats.Wait()
	c.stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(c.mu.errs...)
}

// seat has one worker run, and another one if that is lost.
func (c *crew) seat() error {
	for restarts := 0; ; restarts++ {
		err := c.worker()
		var exit *exec.ExitError
		switch {
		case err == nil || c.drain.Err() != nil:
			return nil
		case errors.As(err, &exit) && exit.ExitCode() == exitDead:
			return nil // the run has ended
		case errors.As(err, &exit) && exit.ExitCode() >= 0 && exit.ExitCode() <= exitNode:
			return fmt.Errorf("a worker has ended: %w", err) // it has said why
		case restarts == maxRestarts:
			return fmt.Errorf("a worker was lost %d times: %w", restarts+1, err)
		}
		fmt.Fprintf(c.p.stderr, "s3fleet: a worker was lost (%v): another one begins\n", err)
		select {
		case <-time.After(time.Second / 2):
		case <-c.drain.Done():
			return nil
		}
	}
}

// worker runs one worker until it ends.
func (c *crew) worker() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, c.args...)
	cmd.Stdout, cmd.Stderr = c.p.stdout, c.p.stderr
	cmd.SysProcAttr = apart()
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	// The URL has a secret, which arguments would show to all.
	_, _ = io.WriteString(in, c.url+"\n")
	ended := make(chan struct{})
	go func() {
		select {
		case <-c.drain.Done():
			_, _ = io.WriteString(in, drainLine+"\n")
		case <-ended:
			return
		}
		select {
		case <-c.p.interrupt.ctx.Done(): // the second signal
			in.Close()
		case <-ended:
		}
	}()
	err = cmd.Wait()
	close(ended)
	in.Close()
	return err
}
