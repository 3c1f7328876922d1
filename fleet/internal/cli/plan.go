package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/internal/tool/list"
	"github.com/s3processpool/processpool/internal/tool/show"
)

func (p *program) planCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan [flags] s3://bucket/prefix/ | LIST | -",
		Short: "put the objects of a prefix or a list into the queue",
		Long: `Puts the objects below a prefix, or those of a list (lines of URLs, JSONL, CSV, a file of S3
Inventory; - is standard input), into the queue of a run, each once. If it is interrupted, the same
command goes on where it ended. A plan that is complete stays as it is.`,
		Args: exactly("a prefix as s3://bucket/prefix/, or a list"),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := p.source(cmd.Context(), args[0])
			if err == nil {
				err = p.checkPlan()
			}
			if err != nil {
				return err
			}
			if p.run == "" {
				p.run = nameOf(source.Name())
			}
			if err := fleet.CheckName(p.run); err != nil {
				return err
			}
			l, err := p.connect(cmd.Context(), p.run)
			if err != nil {
				return err
			}
			defer l.close(false)
			run, err := p.create(cmd.Context(), l, false)
			if err != nil {
				return err
			}
			ctx, cancel := p.interrupt.untilDrain()
			defer cancel()
			told := time.Now()
			plan, err := run.Plan(ctx, source, func(plan fleet.Plan) {
				if time.Since(told) > 5*time.Second {
					told = time.Now()
					p.planned(run, plan, "so far")
				}
			})
			if err != nil {
				return failed(err)
			}
			switch {
			case plan.Objects == plan.Before:
				p.planned(run, plan, "planned before")
			default:
				p.planned(run, plan, "planned")
			}
			return nil
		},
	}
	p.serverFlags(cmd.Flags())
	p.sourceFlags(cmd.Flags())
	p.planFlags(cmd.Flags())
	return cmd
}

func (p *program) planned(run *fleet.Run, plan fleet.Plan, what string) {
	fmt.Fprintf(p.stderr, "run %s: %d objects, %s %s\n", run.Name(), plan.Objects, show.Human(plan.Bytes), what)
}

// source returns what an argument names.
func (p *program) source(ctx context.Context, arg string) (fleet.Source, error) {
	if !strings.HasPrefix(arg, list.Scheme) {
		return &fleet.List{File: arg, Format: p.format, Columns: p.columns, Bucket: p.bucket, Raw: p.raw}, nil
	}
	bucket, prefix, err := list.ParseURL(arg)
	switch {
	case err != nil:
		return nil, err
	case strings.ContainsAny(prefix, "*?") && !p.raw:
		return nil, fmt.Errorf("%s has a wildcard, and is no prefix: write a list with s3get ls --json, or add --raw for a key that holds it", arg)
	case prefix != "" && !strings.HasSuffix(prefix, "/"): // as in cp, photos means the directory photos/
		prefix += "/"
	}
	cfg, err := p.awsConfig(ctx)
	if err != nil {
		return nil, err
	}
	return fleet.Prefix(cfg, bucket, prefix, p.clientOptions), nil
}

// create creates the run, or opens it. ended says that a run that has ended is begun anew.
func (p *program) create(ctx context.Context, l *link, ended bool) (*fleet.Run, error) {
	old, err := fleet.Open(ctx, l.nc, p.run)
	if err == nil && !p.fresh && ended {
		s, err := old.Status(ctx)
		if err != nil {
			return nil, err
		}
		p.fresh = s.Ended
	}
	if err == nil && ended && l.own { // the workers of a run that was killed are gone
		if err := old.Reset(ctx); err != nil {
			return nil, err
		}
	}
	if err == nil && p.fresh {
		if err := old.Delete(ctx); err != nil {
			return nil, err
		}
	}
	if err != nil && !errors.Is(err, fleet.ErrNoRun) {
		return nil, err
	}
	return fleet.Create(ctx, l.nc, p.run, fleet.Options{AckWait: p.ackWait, MaxInFlight: p.inFlight, Replicas: p.replicas})
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// nameOf makes the name of a run of what it is: readable, and its own.
func nameOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	base := path.Base(strings.TrimSuffix(parts[0], "/"))
	base = strings.Trim(notInNames.ReplaceAllString(base, "-"), "-")
	return strings.TrimPrefix(base[:min(len(base), 40)]+"-"+hex.EncodeToString(sum[:4]), "-")
}
