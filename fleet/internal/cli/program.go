// Package cli is the command s3fleet.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/s3processpool/processpool/internal/tool/show"
)

// Main runs s3fleet with the arguments of this process, and ends it.
func Main() {
	os.Exit(execute(signals(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// The exit statuses. A signal adds its number to exitSignal, as in a shell.
const (
	exitDone   = 0
	exitDead   = 1
	exitUsage  = 2
	exitNode   = 3
	exitSignal = 128
)

// program is one run of s3fleet.
type program struct {
	flags
	interrupt      *interruption
	stdin          io.Reader
	stdout, stderr io.Writer
	status         int
}

// execute executes a command line and returns the exit status.
func execute(i *interruption, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{interrupt: i, stdin: stdin, stdout: stdout, stderr: stderr}
	root := p.commands()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(i.ctx)
	var failed *failure
	switch {
	case i.signaled():
		if err != nil && !errors.Is(err, context.Canceled) {
			p.complain(err)
		}
		return i.exit()
	case errors.As(err, &failed):
		p.complain(failed.err)
		return failed.status
	case err != nil:
		p.complain(err)
		return exitUsage
	}
	return p.status
}

// failure is an error after which something had begun.
type failure struct {
	status int
	err    error
}

func (f *failure) Error() string { return f.err.Error() }

// failed makes a failure of an error that is not about the command line.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return &failure{exitDead, err}
}

func (p *program) complain(err error) {
	fmt.Fprintln(p.stderr, "s3fleet: "+show.Printable(show.OneLine(err.Error())))
}
