// Command s3get downloads S3 objects with a pool of worker processes:
//
//	s3get s3://mybucket/mykey
//	s3get --recursive s3://mybucket/photos/ photos
//
// s3get -help prints all flags.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/vbauerster/mpb/v8/cwriter"
)

// The workers are child processes that run this program. In them the init function of package
// processpool serves the pool, and main does not run.
func main() {
	os.Exit(run(interruptible(), os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a, err := parse(args)
	switch {
	case errors.Is(err, errHelp):
		fmt.Fprint(stdout, help())
		return exitDone
	case errors.Is(err, errVersion):
		fmt.Fprintln(stdout, version())
		return exitDone
	}
	if err == nil {
		var g *getter
		if g, err = newGetter(ctx, a); err == nil {
			return g.run(ctx, a.view(stdout, stderr))
		}
	}
	v := a.plain(stdout, stderr)
	if ctx.Err() != nil { // while the configuration was loaded
		v.trouble(a.interrupted())
		return statusOf(ctx)
	}
	v.trouble(problem{what: oneLine(err.Error()), code: "Usage"})
	return exitUsage
}

func (a *arguments) view(stdout, stderr io.Writer) view {
	if !a.json && !a.quiet && isTerminal(stdout) {
		return newBars(lines{stdout: stdout, stderr: stderr}, !a.recursive)
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
