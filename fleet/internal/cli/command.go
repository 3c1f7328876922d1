package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func (p *program) commands() *cobra.Command {
	root := &cobra.Command{
		Use: "s3fleet", Short: "have many machines download one list of S3 objects", Long: rootText,
		SilenceErrors: true, SilenceUsage: true, Version: versionLine(),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(p.runCommand(), p.planCommand(), p.workCommand(), p.statusCommand(), p.deadCommand(), p.serveCommand(), p.removeCommand())
	for _, c := range root.Commands() {
		c.Flags().SortFlags = false
	}
	return root
}

// exactly returns a check for a number of arguments.
func exactly(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return errors.New("an argument is missing: name " + names[len(args)])
		case len(args) > len(names):
			return fmt.Errorf("%q is one argument too many", args[len(names)])
		}
		return nil
	}
}

const rootText = `s3fleet has many machines download one list of S3 objects. A NATS server with JetStream holds the
list; each object is downloaded by one worker, verified, and put in place by one rename.

  s3fleet run s3://bucket/prefix/ DIR --workers 3        all on this machine, the server too

  s3fleet plan s3://bucket/prefix/ --nats URL --run R    once
  s3fleet work DIR --nats URL --run R                    on each machine
  s3fleet status --nats URL --run R                      from anywhere

Exit status:
    0  all objects are done
    1  some are dead (see s3fleet dead), or an error has ended the command
    2  the command line or the configuration is wrong, and nothing was started
    3  this machine has ended the worker (its disk is full, S3 refuses it); others go on
  130  Ctrl-C (143: SIGTERM, 129: the terminal was closed). The first signal has a worker take nothing
       new, and end what it has; after --grace, or with a second signal, another worker gets it.`
