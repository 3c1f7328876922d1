// Package measure runs a program and tells what it and all its descendants took.
package measure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/s3processpool/processpool/bench/internal/task"
)

// Command is a program to run.
type Command struct {
	Args []string
	Env  []string // in place of this process's
	Dir  string

	Attr    *syscall.SysProcAttr // further attributes; nil for none
	For     time.Duration        // end it after so long, which is no error; 0: wait for its end
	Memory  bool                 // sample the memory meanwhile, which costs time
	Timeout time.Duration        // an error after so long
}

// Usage is what a run took: of the process and of every descendant that was waited for,
// which the kernel adds up (getrusage(2), RUSAGE_CHILDREN).
type Usage struct {
	Wall        time.Duration `json:"wall"`
	User        time.Duration `json:"user"`
	Sys         time.Duration `json:"sys"`
	Voluntary   int64         `json:"voluntary_switches"`
	Involuntary int64         `json:"involuntary_switches"`
	First       time.Duration `json:"first_object,omitempty"` // where the program tells
	MaxRSS      int64         `json:"largest_process_rss"`    // in bytes, of the largest process
	Memory      Memory        `json:"-"`
}

// CPU is the processor time.
func (u Usage) CPU() time.Duration { return u.User + u.Sys }

// Run runs a command in a process group of its own. It is an error if a process of
// the group is left behind, whose time would be missing.
func Run(ctx context.Context, c Command) (Usage, error) {
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.Timeout, fmt.Errorf("it took longer than %v", c.Timeout))
		defer cancel()
	}
	output, err := os.CreateTemp(c.Dir, "output-*")
	if err != nil {
		return Usage{}, err
	}
	defer os.Remove(output.Name())
	defer output.Close()

	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Dir = c.Dir
	// Files, not pipes: nothing here wakes while it runs, and a descendant that keeps one open is not waited for.
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if c.Attr != nil {
		*cmd.SysProcAttr = *c.Attr
	}
	cmd.SysProcAttr.Setpgid = true

	start := time.Now()
	cmd.Env = append(c.Env[:len(c.Env):len(c.Env)], task.StartVar+"="+strconv.FormatInt(start.UnixNano(), 10))
	if err := cmd.Start(); err != nil {
		return Usage{}, err
	}
	watch := newWatch(ctx, cmd.Process.Pid, c)
	err = cmd.Wait()
	wall := time.Since(start)
	memory, cut := watch.end()
	if cut {
		err = nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	said, _ := os.ReadFile(output.Name())
	if err != nil {
		return Usage{}, fmt.Errorf("%w\n%s", err, tail(said))
	}
	if err := gone(cmd.Process.Pid); err != nil {
		return Usage{}, err
	}
	r := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return Usage{
		Wall:        wall,
		User:        cmd.ProcessState.UserTime(),
		Sys:         cmd.ProcessState.SystemTime(),
		Voluntary:   r.Nvcsw,
		Involuntary: r.Nivcsw,
		First:       first(string(said)),
		MaxRSS:      r.Maxrss << 10,
		Memory:      memory,
	}, nil
}

// goneTimeout is for helpers that a program leaves to end on their own.
const goneTimeout = 3 * time.Second

// gone waits until no process of the group is left, and ends those that are.
func gone(group int) error {
	for deadline := time.Now().Add(goneTimeout); ; time.Sleep(10 * time.Millisecond) {
		if err := syscall.Kill(-group, 0); errors.Is(err, syscall.ESRCH) {
			return nil
		}
		if time.Now().After(deadline) {
			syscall.Kill(-group, syscall.SIGKILL)
			return errors.New("it left processes behind")
		}
	}
}

// first finds task.First's line.
func first(output string) time.Duration {
	for line := range strings.Lines(output) {
		if number, ok := strings.CutPrefix(line, "first "); ok {
			if n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64); err == nil {
				return time.Duration(n)
			}
		}
	}
	return 0
}

// tail is the end of what a program has said.
func tail(said []byte) []byte { return said[max(0, len(said)-2000):] }
