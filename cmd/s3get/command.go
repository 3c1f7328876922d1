package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// program is one run of s3get: its arguments, and what has become of them.
type program struct {
	*arguments
	stdout, stderr io.Writer
	status         int // the exit status of a command that has run
}

// commands returns the tree of commands. The root is get, so that s3get s3://bucket/key works.
func (p *program) commands() *cobra.Command {
	root := p.getCommand("s3get [flags] SOURCE... [DEST]")
	root.Short = "download S3 objects with a pool of worker processes"
	root.Long = rootText
	root.SilenceErrors, root.SilenceUsage = true, true
	var version bool
	root.Flags().BoolVar(&version, "version", false, "print the version of this program")
	get := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if version {
			fmt.Fprintln(p.stdout, versionLine())
			return nil
		}
		return get(cmd, args)
	}
	root.AddCommand(
		p.getCommand("get [flags] SOURCE... [DEST]"), p.syncCommand(), p.lsCommand(), p.catCommand(),
		p.runCommand(), p.cleanCommand(), p.versionCommand())
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { fmt.Fprint(p.stdout, help(cmd)) })
	root.PersistentPreRunE = p.prepare
	return root
}

// prepare takes the flags that are not on the command line from the environment and the file, and
// checks all of them.
func (p *program) prepare(cmd *cobra.Command, _ []string) error {
	if cmd.Flags().Lookup("config") == nil { // such as version: its flags have no defaults
		return nil
	}
	p.note(cmd.Flags())
	if err := p.defaults(cmd.Flags(), cmd.Root()); err != nil {
		return err
	}
	return p.check()
}

func (p *program) getCommand(use string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: "download objects, or all that a wildcard or a prefix selects (the default command)",
		Long:  getText,
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.place(args); err != nil {
				return err
			}
			return p.download(cmd.Context(), (*getter).get)
		},
	}
	p.addFlags(cmd, sourceFlags, objectFlags, selectionFlags, treeFlags, destinationFlags, downloadFlags, outputFlags)
	return cmd
}

func (p *program) syncCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sync [flags] s3://bucket/prefix/ DIR",
		Short: "download what is new or has changed below a prefix, and with --delete remove the rest",
		Long:  syncText,
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			p.recursive, p.ifChanged = true, true
			if err := p.place(args); err != nil {
				return err
			}
			if err := p.checkDelete(); err != nil {
				return err
			}
			return p.download(cmd.Context(), (*getter).get)
		},
	}
	p.addFlags(cmd, sourceFlags, selectionFlags, destinationFlags, downloadFlags, outputFlags)
	cmd.Flags().BoolVar(&p.deleteExtra, "delete", false, "remove files below DIR that no object stands for, when all else has succeeded")
	p.inGroup(cmd, "delete", selectionTitle)
	return cmd
}

func (p *program) runCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run [flags] FILE|-",
		Short: "download a list of objects, in lines, JSONL or CSV",
		Long:  runText,
		Args:  one("a file with a list, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.list = args[0]
			p.ifChanged = p.ifChanged || p.resume
			return p.download(cmd.Context(), (*getter).list)
		},
	}
	p.addFlags(cmd, sourceFlags, selectionFlags, destinationFlags, listFlags, downloadFlags, outputFlags)
	return cmd
}

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version of this program",
		Args:  none,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintln(p.stdout, versionLine())
			return nil
		},
	}
}

// one returns a check for commands with exactly one argument, which must be what.
func one(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return errors.New("an argument is missing: name " + what)
		case len(args) > 1:
			return fmt.Errorf("%q is one argument too many", args[1])
		}
		return nil
	}
}

func none(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%q is one argument too many", args[0])
	}
	return nil
}
