package main

import (
	"bytes"
	"context"
	"errors"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
)

// parse returns the arguments of a command line of get, and what is wrong with it.
func parse(args []string) (*arguments, error) {
	p := &program{arguments: newArguments(), stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}}
	root := p.commands()
	parsed := errors.New("parsed")
	run := func(names []string) error {
		if err := p.place(names); err != nil {
			return err
		}
		return parsed
	}
	root.RunE = func(_ *cobra.Command, names []string) error { return run(names) }
	root.SetArgs(modern(args, root))
	if err := root.Execute(); !errors.Is(err, parsed) {
		return p.arguments, err
	}
	return p.arguments, nil
}

// runBars runs a command line of get with bars.
func runBars(ctx context.Context, a *arguments, l lines) (int, error) {
	g, err := newGetter(ctx, &program{arguments: a, stdout: l.stdout, stderr: l.stderr})
	if err != nil {
		return 0, err
	}
	return g.run(ctx, newBars(l, true, mpb.WithAutoRefresh()), (*getter).get), nil
}

// rootHelp returns what s3get --help prints.
func rootHelp() string {
	var stdout bytes.Buffer
	run(context.Background(), []string{"--help"}, &stdout, &stdout)
	return stdout.String()
}
