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
	"os/signal"
	"syscall"

	"github.com/vbauerster/mpb/v8/cwriter"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

// The workers are child processes that run this program. In them the init function of package
// processpool serves the pool, and main does not run.
func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		fmt.Fprintln(os.Stderr, "s3get: ended at once: temporary files may be left behind; their names end in a dot and 8 hex digits")
		os.Exit(exitFailed)
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a, err := parse(args)
	if errors.Is(err, errHelp) {
		fmt.Fprint(stdout, usage)
		return 0
	}
	if err == nil {
		var g *getter
		if g, err = newGetter(ctx, a); err == nil {
			return g.run(ctx, a.view(stdout, stderr))
		}
	}
	fmt.Fprintf(stderr, "s3get: %v\n", err)
	return exitUsage
}

func (a *arguments) view(stdout, stderr io.Writer) view {
	l := lines{stdout: stdout, stderr: stderr, quiet: a.quiet}
	switch {
	case a.json:
		return newEvents(stdout)
	case !a.quiet && isTerminal(stdout):
		return newBars(l, !a.recursive)
	}
	return &l
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && cwriter.IsTerminal(int(f.Fd()))
}
