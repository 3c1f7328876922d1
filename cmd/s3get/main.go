// Command s3get downloads S3 objects with a pool of worker processes:
//
//	s3get s3://mybucket/mykey
//	s3get sync s3://mybucket/photos/ photos
//
// s3get --help prints all commands and flags.
package main

import (
	"context"
	"io"
	"os"

	"github.com/vbauerster/mpb/v8/cwriter"

	"github.com/s3processpool/processpool/internal/tool/show"
)

// The workers are child processes that run this program. In them the init function of package
// processpool serves the pool, and main does not run.
func main() {
	os.Exit(run(interruptible(), os.Args[1:], os.Stdout, os.Stderr))
}

// run executes a command line and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	p := &program{arguments: newArguments(), stdout: stdout, stderr: stderr}
	root := p.commands()
	root.SetArgs(modern(args, root))
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return p.status
	}
	p.json = p.json || wantsJSON(args)
	v := p.plain(stdout, stderr)
	if ctx.Err() != nil { // while the configuration was loaded
		v.trouble(p.interrupted())
		return statusOf(ctx)
	}
	v.trouble(problem{what: show.OneLine(err.Error()), code: "Usage"})
	return exitUsage
}

func (a *arguments) view(stdout, stderr io.Writer) view {
	if !a.json && !a.quiet && a.logLevel.off() && isTerminal(stdout) {
		return newBars(lines{stdout: stdout, stderr: stderr}, !a.listing() && a.list == "")
	}
	return a.plain(stdout, stderr)
}

// plain returns a view without bars.
func (a *arguments) plain(stdout, stderr io.Writer) view {
	if a.json {
		return newEvents(stdout)
	}
	return &lines{stdout: stdout, stderr: stderr, quiet: a.quiet}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && cwriter.IsTerminal(int(f.Fd()))
}
