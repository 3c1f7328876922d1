// Command bench compares processpool with a floor and with similar clients, on one machine.
// README.md describes what it measures, and how.
//
//	go run . -case http1g,tls1g -runs 7
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/s3processpool/processpool/bench/internal/client"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == ramfsMark {
		exit(intoRAMFS(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, os.Args[1:]))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	data, err := os.MkdirTemp(o.temporary, "processpool-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	// Some in-memory file systems are mounted noexec, so the programs need a folder of their own.
	programs, err := os.MkdirTemp("", "processpool-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(programs)
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	kit := &client.Kit{
		Bin: filepath.Join(programs, "bin"), Work: filepath.Join(programs, "work"),
		Cache: filepath.Join(cache, "processpool", "bench"),
	}
	for _, name := range o.build {
		if err := kit.Install(ctx, name); err != nil {
			return err
		}
	}
	fmt.Fprintln(os.Stderr, "building the clients (about 30 s the first time) ...")
	if err := kit.Build(ctx); err != nil {
		return err
	}
	if o.results == "" {
		fmt.Fprintf(os.Stderr, "no reports will be written, because %s was given: name a folder for them with -results\n", o.changed)
	}
	return measureAll(ctx, o.cases, bench{options: o, kit: kit, dir: data})
}

// measureAll measures the chosen cases. It continues after a case that fails.
func measureAll(ctx context.Context, chosen []measurement, b bench) error {
	var failed []error
	for _, m := range chosen {
		one := b
		fmt.Fprintf(os.Stderr, "\n%s: %s\n", m.name, one.title(m))
		if err := m.run(&one, ctx, m); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", m.name, err))
			fmt.Fprintln(os.Stderr, failed[len(failed)-1])
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}
