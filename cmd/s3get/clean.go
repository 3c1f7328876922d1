package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/s3processpool/processpool"
)

func (p *program) cleanCommand() *cobra.Command {
	var olderThan time.Duration
	var force bool
	cmd := &cobra.Command{
		Use:   "clean [flags] DIR",
		Short: "remove partial and temporary files that interrupted downloads have left in DIR",
		Long:  cleanText,
		Args:  one("a directory"),
		RunE: func(_ *cobra.Command, args []string) error {
			p.clean(args[0], olderThan, force)
			return nil
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&force, "force", false, "remove the files, and do not only list them")
	cmd.Flags().DurationVar(&olderThan, "older-than", 24*time.Hour, "only files that were last written to this `duration` ago or earlier")
	p.inGroup(cmd, "force", selectionTitle)
	p.inGroup(cmd, "older-than", selectionTitle)
	p.addFlags(cmd, outputFlags)
	return cmd
}

// clean removes what the library knows to be its own, or lists what it would remove.
func (p *program) clean(dir string, olderThan time.Duration, force bool) {
	v := p.plain(p.stdout, p.stderr)
	action := processpool.ListPartials
	if force {
		action = processpool.CleanPartials
	}
	files, err := action(dir, olderThan)
	for _, file := range files {
		if force {
			v.removed(file)
		} else {
			v.plan("delete", &job{source: source{filename: file}})
		}
	}
	if err != nil {
		problem := advise(err)
		problem.object, problem.file = dir, dir
		v.trouble(problem)
		p.status = exitFailed
	}
	switch {
	case p.json || p.quiet:
	case !force && len(files) > 0:
		fmt.Fprintf(p.stdout, "dry run: %s; --force removes what is listed\n", count(int64(len(files)), "file", "files"))
	case !force:
		fmt.Fprintln(p.stdout, "dry run: there is nothing to remove")
	default:
		fmt.Fprintf(p.stdout, "%s removed\n", count(int64(len(files)), "file", "files"))
	}
}
