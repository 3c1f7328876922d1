package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/internal/tool/show"
)

func (p *program) runCommand() *cobra.Command {
	var workers int
	cmd := &cobra.Command{
		Use:   "run [flags] s3://bucket/prefix/ | LIST  DIR",
		Short: "plan and download with several workers on this machine, until all is done",
		Long: `Starts a server unless --nats names one, plans, and starts workers on this machine, each a process of
its own with --processes of the library's. It ends when each object is done or dead. If it is
interrupted or killed, the same command goes on where it ended; after a run that has ended, it begins
anew, and what is there already is skipped.`,
		Args: exactly("a prefix as s3://bucket/prefix/, or a list", "a directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if workers < 1 {
				return errors.New("--workers must be at least 1")
			}
			if err := errors.Join(p.checkPlan(), p.checkWork()); err != nil {
				return err
			}
			source, err := p.source(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			dir, err := filepath.Abs(args[1])
			if err != nil {
				return err
			}
			if p.run == "" {
				p.run = nameOf(source.Name(), dir)
			}
			if err := fleet.CheckName(p.run); err != nil {
				return err
			}
			return p.all(cmd.Context(), &placed{source, dir}, p.workerArguments(cmd.Flags(), dir), workers)
		},
	}
	cmd.Flags().IntVar(&workers, "workers", 3, "`number` of workers")
	p.serverFlags(cmd.Flags())
	p.sourceFlags(cmd.Flags())
	p.planFlags(cmd.Flags())
	p.workFlags(cmd.Flags())
	return cmd
}

// placed is a source whose run has one destination.
type placed struct {
	fleet.Source
	dir string
}

func (s *placed) Name() string { return s.Source.Name() + " to " + s.dir }

// workerArguments returns the command line of a worker: those of the flags that it has, too.
func (p *program) workerArguments(given *pflag.FlagSet, dir string) []string {
	args := []string{"work", "--attached", "--run=" + p.run}
	known := p.workCommandFlags()
	given.Visit(func(f *pflag.Flag) {
		if known.Lookup(f.Name) != nil && f.Name != "nats" && f.Name != "run" && f.Name != "store" {
			value := f.Value.String()
			if size, ok := f.Value.(*show.Size); ok {
				value = strconv.FormatInt(int64(*size), 10)
			}
			args = append(args, "--"+f.Name+"="+value)
		}
	})
	return append(args, "--", dir)
}

// workCommandFlags returns the flags of s3fleet work. It does not change the values of p.
func (p *program) workCommandFlags() *pflag.FlagSet { return (&program{}).workCommand().Flags() }

// all plans and has workers do all of it.
func (p *program) all(ctx context.Context, source fleet.Source, args []string, workers int) error {
	l, err := p.connect(ctx, p.run)
	if err != nil {
		return err
	}
	ended := false
	defer func() { l.close(ended) }()
	run, err := p.create(ctx, l, true)
	if err != nil {
		return failed(err)
	}
	ctx, cancel := p.interrupt.untilDrain()
	defer cancel()
	c := newCrew(p, args, l.url, workers)
	planned := make(chan error, 1)
	go func() {
		_, err := run.Plan(ctx, source, nil)
		if errors.Is(err, fleet.ErrPlanner) { // another s3fleet run does the same
			err = nil
		}
		planned <- err
	}()
	// Workers begin while the plan grows. One that is wrong from its first step has none begin.
	select {
	case err = <-planned:
		planned <- err
	case <-time.After(time.Second):
	}
	if err == nil {
		c.start()
	}
	stop := make(chan struct{})
	told := make(chan struct{})
	go func() {
		defer close(told)
		p.tell(ctx, run, stop)
	}()
	err = <-planned
	if err != nil { // the run cannot end
		c.stop()
	}
	crewErr := c.wait()
	close(stop)
	<-told
	switch {
	case p.interrupt.signaled():
		fmt.Fprintln(p.stderr, "s3fleet: interrupted: run the same command again to go on")
		return nil
	case err != nil:
		return failed(err)
	}
	final, cancelStatus := context.WithTimeout(p.interrupt.ctx, 30*time.Second)
	defer cancelStatus()
	s, err := run.Status(final)
	if err != nil {
		return failed(err)
	}
	writeStatus(p.stdout, s)
	ended = s.Ended
	switch {
	case !s.Ended:
		return failed(fmt.Errorf("all workers have ended, and %d objects are open: %w", s.Open, errors.Join(crewErr, errors.New("run the same command again to go on"))))
	case s.Dead > 0:
		fmt.Fprintf(p.stderr, "s3fleet: %d objects are dead: see s3fleet dead --run %s\n", s.Dead, p.run)
		p.status = exitDead
	}
	return nil
}

// tell prints how far the run is, now and then.
func (p *program) tell(ctx context.Context, run *fleet.Run, stop <-chan struct{}) {
	ticker := time.NewTicker(5 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if s, err := run.Status(ctx); err == nil {
			fmt.Fprintf(p.stderr, "s3fleet: %d of %d objects, %s of %s%s\n", s.Done, s.Planned, show.Human(s.DoneBytes), show.Human(s.PlannedBytes), pace(s))
		}
	}
}
