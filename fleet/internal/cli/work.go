package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/internal/tool/show"
)

func (p *program) workCommand() *cobra.Command {
	var attached bool
	cmd := &cobra.Command{
		Use:   "work [flags] DIR",
		Short: "download what the queue of a run has, to DIR, until the run has ended",
		Long: `Downloads what the queue of a run has, to DIR, until the run has ended: until each object is done or
dead. Any number of machines may do so, each with its own DIR or all with one that they share. A file
is on stable storage before the server is told that it is done.`,
		Args: exactly("a directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var drain <-chan struct{} = p.interrupt.drain
			if attached {
				var err error
				if drain, err = p.attach(); err != nil {
					return err
				}
			}
			return p.work(cmd.Context(), args[0], drain, attached)
		},
	}
	p.serverFlags(cmd.Flags())
	p.sourceFlags(cmd.Flags())
	p.workFlags(cmd.Flags())
	cmd.Flags().BoolVar(&attached, "attached", false, "")
	_ = cmd.Flags().MarkHidden("attached")
	return cmd
}

// drainLine is what s3fleet run writes to have a worker take up nothing new.
const drainLine = "drain"

// attach reads the server's URL from s3fleet run, and returns a channel that is closed when that or a
// signal wants the worker to end. If s3fleet run is gone, and the server with it, the worker stops at
// once.
func (p *program) attach() (<-chan struct{}, error) {
	in := bufio.NewScanner(p.stdin)
	if !in.Scan() {
		return nil, errors.New("--attached is for s3fleet run alone")
	}
	p.server.URL = in.Text()
	drain, asked := make(chan struct{}), make(chan struct{})
	go func() {
		if in.Scan() && in.Text() == drainLine {
			close(asked)
			in.Scan()
		}
		p.interrupt.stop()
	}()
	go func() {
		defer close(drain)
		select {
		case <-asked:
		case <-p.interrupt.ctx.Done():
		case <-p.interrupt.drain:
		}
	}()
	return drain, nil
}

func (p *program) work(ctx context.Context, dir string, drain <-chan struct{}, quiet bool) error {
	if err := p.checkWork(); err != nil {
		return err
	}
	cfg, err := p.awsConfig(ctx)
	if err != nil {
		return err
	}
	d, err := processpool.NewDownloader(cfg, p.configure)
	if err != nil {
		return err
	}
	defer d.Shutdown()
	run, l, err := p.open(ctx)
	if err != nil {
		return err
	}
	ended := false
	defer func() { l.close(ended) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // what is under way has --grace
		select {
		case <-drain:
			select {
			case <-time.After(p.grace):
				cancel()
			case <-ctx.Done():
			}
		case <-ctx.Done():
		}
	}()
	report, err := run.Work(ctx, d, fleet.WorkOptions{
		Dir: dir, Slots: p.processes * p.requests, Node: p.node, MaxDeliver: p.maxDeliver, Drain: drain, Logger: p.logger(),
	})
	if !quiet {
		fmt.Fprintf(p.stdout, "this worker: %d objects done, %d of them were there already, %d dead; %s fetched\n",
			report.Done, report.Skipped, report.Dead, show.Human(report.Fetched))
	}
	var node *fleet.NodeError
	switch {
	case errors.As(err, &node):
		return &failure{exitNode, err}
	case err != nil:
		return failed(err)
	}
	select {
	case <-drain:
		if !p.interrupt.signaled() { // s3fleet run has ended it
			p.status = exitSignal + 15
		}
		return nil
	default:
	}
	ended = true
	return p.outcome(run)
}

// outcome sets the exit status of a run that has ended.
func (p *program) outcome(run *fleet.Run) error {
	ctx, cancel := context.WithTimeout(p.interrupt.ctx, 30*time.Second)
	defer cancel()
	s, err := run.Status(ctx)
	switch {
	case errors.Is(err, fleet.ErrNoRun): // who planned it has removed it, since it has ended
		return nil
	case err != nil:
		return failed(err)
	case s.Dead > 0 || !s.Ended:
		p.status = exitDead
	}
	return nil
}
