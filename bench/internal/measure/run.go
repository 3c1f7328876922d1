// Package measure runs a program and measures the time and the memory of it and of all its
// descendants.
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
	Env  []string // the whole environment
	Dir  string

	Attr    *syscall.SysProcAttr // further attributes; nil for none
	For     time.Duration        // end the program after this time, without an error; 0: never
	Memory  bool                 // sample the memory, which costs time
	Timeout time.Duration        // kill the program after this time, with an error; 0: never
}

// Usage is the resource usage of a run. The kernel adds up the values of the process and of all
// descendants that were waited for (getrusage(2), RUSAGE_CHILDREN).
type Usage struct {
	Wall        time.Duration `json:"wall"`
	User        time.Duration `json:"user"`
	Sys         time.Duration `json:"sys"`
	Voluntary   int64         `json:"voluntary_switches"`
	Involuntary int64         `json:"involuntary_switches"`
	Faults      int64         `json:"page_faults"`
	First       time.Duration `json:"first_object,omitempty"` // 0: the program did not print it
	MaxRSS      int64         `json:"largest_process_rss"`    // in bytes
	Memory      Memory        `json:"-"`
	Said        string        `json:"-"` // the end of its output
}

// CPU returns the processor time.
func (u Usage) CPU() time.Duration { return u.User + u.Sys }

// Run runs a command in a process group of its own. It returns an error if the command leaves a
// process of the group behind, because the time of that process would be missing.
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
	// A file, and not a pipe: this process need not wake to read it, and Wait does not wait for a
	// descendant that keeps it open.
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
		Faults:      r.Minflt + r.Majflt,
		First:       first(string(said)),
		MaxRSS:      r.Maxrss << 10,
		Memory:      memory,
		Said:        string(tail(said)),
	}, nil
}

// goneTimeout is the time that helpers of a program have to end after it.
const goneTimeout = 3 * time.Second

// gone waits until the group has no process. After goneTimeout it kills the group and returns an
// error.
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

// first parses the line that task.First prints.
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

// tail returns the end of the output.
func tail(said []byte) []byte { return said[max(0, len(said)-2000):] }
