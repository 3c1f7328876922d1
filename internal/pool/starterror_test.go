//go:build unix

package pool

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/failure"
)

// TestStartError: the error of a start says what is missing, and is no error of the user's file.
func TestStartError(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	own := Command{Args: []string{self}}
	for _, c := range []struct {
		name    string
		command Command
		err     error
		want    string
		is      error
	}{
		{"no null device", own, &fs.PathError{Op: "open", Path: os.DevNull, Err: syscall.ENOENT}, "start worker: " + os.DevNull + " is missing", nil},
		{"null device refused", own, &fs.PathError{Op: "open", Path: os.DevNull, Err: syscall.EACCES}, "start worker: open " + os.DevNull + ": permission denied", nil},
		{"no descriptor", own, &fs.PathError{Op: "open", Path: os.DevNull, Err: syscall.EMFILE}, "too many open files", syscall.EMFILE},
		{"no process", own, &fs.PathError{Op: "fork/exec", Path: self, Err: syscall.EAGAIN}, program + " (/proc/self/exe): ", syscall.EAGAIN},
		{"refused", own, &fs.PathError{Op: "fork/exec", Path: self, Err: syscall.EPERM}, program + " (/proc/self/exe): operation not permitted", nil},
		{"missing", Command{Args: []string{"/x"}}, &fs.PathError{Op: "fork/exec", Path: "/x", Err: syscall.ENOENT}, "start worker: fork/exec /x: no such file or directory", nil},
		{"not in PATH", Command{Args: []string{"x"}}, &exec.Error{Name: "x", Err: exec.ErrNotFound}, `start worker: exec: "x": executable file not found`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := newStartError(c.command, c.err)
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want %q", err, c.want)
			}
			if !errors.Is(err, failure.ErrWorkerLost) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is not ErrWorkerLost, or not %v", err, c.is)
			}
			for _, other := range []error{fs.ErrNotExist, fs.ErrPermission, fs.ErrExist, syscall.ENOENT, syscall.EACCES, syscall.EPERM} {
				if errors.Is(err, other) {
					t.Errorf("%v is %v", err, other)
				}
			}
			var path *fs.PathError
			if errors.As(err, &path) {
				t.Errorf("%v has a PathError", err)
			}
		})
	}
}
