package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/tool/mark"
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

// clean removes what CleanPartials knows to be the library's, or lists what it would look at.
func (p *program) clean(dir string, olderThan time.Duration, force bool) {
	v := p.plain(p.stdout, p.stderr)
	var files []string
	var err error
	if force {
		files, err = processpool.CleanPartials(dir, olderThan)
	} else {
		files, err = leftovers(dir, time.Now().Add(-olderThan))
	}
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
		fmt.Fprintf(p.stdout, "dry run: %s; --force removes what is certain to be s3get's\n", count(int64(len(files)), "file", "files"))
	case !force:
		fmt.Fprintln(p.stdout, "dry run: there is nothing to remove")
	default:
		fmt.Fprintf(p.stdout, "%s removed\n", count(int64(len(files)), "file", "files"))
	}
}

// leftovers returns the files that, by their names and their age, downloads have left.
func leftovers(dir string, before time.Time) (files []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		info, err := e.Info()
		if err != nil || !e.Type().IsRegular() || !info.ModTime().Before(before) {
			continue
		}
		if isPartial(e.Name()) || temporary.MatchString(e.Name()) && mark.Unfinished(name) {
			files = append(files, name)
		}
	}
	return files, nil
}

// temporary matches the names of temporary files: those of the destination, a dot and 8 hex digits.
// Another file can have such a name, but not the library's attribute.
var temporary = regexp.MustCompile(`\.[0-9a-f]{8}$`)
