package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/internal/tool/show"
)

func (p *program) deadCommand() *cobra.Command {
	var asJSON, requeue bool
	cmd := &cobra.Command{
		Use:   "dead [flags]",
		Short: "list the objects that could not be downloaded, or put them back into the queue",
		Args:  exactly(),
		RunE: p.onRun(func(ctx context.Context, run *fleet.Run) error {
			if requeue {
				n, err := run.Requeue(ctx, nil)
				fmt.Fprintf(p.stdout, "%d objects are in the queue again\n", n)
				return failed(err)
			}
			out := json.NewEncoder(p.stdout)
			return failed(run.Dead(ctx, func(d fleet.Dead) bool {
				if asJSON {
					return out.Encode(d) == nil
				}
				fmt.Fprintf(p.stdout, "s3://%s/%s: %s%s\n", d.Object.Bucket, show.Printable(d.Object.Key), show.Printable(show.OneLine(d.Error)), ids(d))
				return true
			}))
		}),
	}
	p.serverFlags(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object for each")
	cmd.Flags().BoolVar(&requeue, "requeue", false, "put them back into the queue")
	cmd.MarkFlagsMutuallyExclusive("json", "requeue")
	return cmd
}

// ids returns what the support of S3 asks for.
func ids(d fleet.Dead) (text string) {
	if d.RequestID != "" {
		text = " (request " + show.Printable(d.RequestID)
		if d.HostID != "" {
			text += ", host " + show.Printable(d.HostID)
		}
		text += ")"
	}
	return text
}

func (p *program) removeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove [flags]",
		Short: "remove a run from the server, with what is left of its queue; files stay",
		Args:  exactly(),
		RunE: p.onRun(func(ctx context.Context, run *fleet.Run) error {
			return failed(run.Delete(ctx))
		}),
	}
	p.serverFlags(cmd.Flags())
	return cmd
}
