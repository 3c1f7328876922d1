package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/bench/internal/client"
	"github.com/s3processpool/processpool/bench/internal/measure"
	"github.com/s3processpool/processpool/bench/internal/task"
)

// entry is a client and its task: one row of the table.
type entry struct {
	label  string
	client client.Client
	task   task.Task
	bytes  int64 // number of bytes that it reads and discards; 0: it writes the files of the task
}

// series holds the measurements of an entry.
type series struct {
	entry
	runs     []measure.Usage
	memory   measure.Memory
	requests int // number of HTTP requests in one run; 0: not counted
}

// alternate measures the entries. First it runs each entry once as a warm-up, in which it samples
// the memory and compares all bytes. Then it runs b.runs rounds of all entries, so that a slow
// phase of the machine affects all of them. Each round has a random order, because a run changes
// the state (free memory, hot or cold) in which the next one starts.
//
// If the client of another project fails in its warm-up, alternate leaves it out and adds a note to
// the report.
func (b *bench) alternate(ctx context.Context, entries []entry) ([]series, error) {
	var all []series
	unlock, err := b.quiet()
	if err != nil {
		return nil, err
	}
	defer func() { unlock() }()
	for _, e := range entries {
		s, err := b.warmUp(ctx, e)
		switch {
		case err == nil:
			all = append(all, s)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case e.client.Kind == client.Subject || e.client.Kind == client.Floor:
			return nil, fmt.Errorf("%s: %w", e.label, err)
		default:
			first, _, _ := strings.Cut(err.Error(), "\n")
			b.note("%s failed and is left out: %s", e.label, first)
			fmt.Fprintf(os.Stderr, "%s failed: %v\n", e.label, err)
		}
	}
	order := rand.New(rand.NewPCG(1, 1))
	for round := range b.runs {
		unlock()
		if unlock, err = b.quiet(); err != nil {
			return nil, err
		}
		for _, i := range order.Perm(len(all)) {
			u, err := b.once(ctx, all[i].entry, false, sizesAgree)
			if err != nil {
				return nil, fmt.Errorf("%s, round %d: %w", all[i].label, round+1, err)
			}
			all[i].runs = append(all[i].runs, u)
			b.say(fmt.Sprintf("round %d of %d", round+1, b.runs), all[i].entry, u)
		}
	}
	return all, nil
}

// quiet waits for the file of -lock, and locks it. unlock, which is never nil, may be called twice.
func (b *bench) quiet() (unlock func(), err error) {
	if b.lock == "" {
		return func() {}, nil
	}
	f, err := os.OpenFile(b.lock, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return func() {}, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
	return func() { f.Close() }, err
}

func (b *bench) warmUp(ctx context.Context, e entry) (series, error) {
	if b.origin.Counts() {
		if _, err := b.origin.Requests(); err != nil {
			return series{}, err
		}
	}
	u, err := b.once(ctx, e, true, b.bytesAgree)
	if err != nil {
		return series{}, err
	}
	b.say("warm-up", e, u)
	s := series{entry: e, memory: u.Memory}
	if b.origin.Counts() {
		s.requests, err = b.origin.Requests()
	}
	return s, err
}

// once runs an entry with an empty folder for its downloads, and checks the files.
func (b *bench) once(ctx context.Context, e entry, memory bool, check func(task.Task) error) (measure.Usage, error) {
	command, err := b.prepare(e)
	if err != nil {
		return measure.Usage{}, err
	}
	defer os.RemoveAll(b.downloads())
	command.Memory, command.Timeout = memory, b.timeout
	if err := b.heat(e); err != nil {
		return measure.Usage{}, err
	}
	u, err := measure.Run(ctx, command)
	if err == nil && e.bytes == 0 {
		err = check(e.task)
	}
	return u, err
}

// prepare returns the command of an entry, for which it empties the folder of the downloads.
func (b *bench) prepare(e entry) (measure.Command, error) {
	if err := os.RemoveAll(b.downloads()); err != nil {
		return measure.Command{}, err
	}
	if err := os.MkdirAll(b.downloads(), 0o755); err != nil {
		return measure.Command{}, err
	}
	b.settle()
	return b.kit.Command(e.client, e.task)
}

// say prints the progress on standard error.
func (b *bench) say(round string, e entry, u measure.Usage) {
	fmt.Fprintf(os.Stderr, "%-14s %-34s wall %7.3f s, cpu %7.3f s, %7d switches\n",
		round, e.label, u.Wall.Seconds(), u.CPU().Seconds(), u.Voluntary+u.Involuntary)
}
