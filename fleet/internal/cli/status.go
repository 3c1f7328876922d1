package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/internal/tool/show"
)

func (p *program) statusCommand() *cobra.Command {
	var asJSON, asPrometheus bool
	cmd := &cobra.Command{
		Use:   "status [flags]",
		Short: "tell how far a run is",
		Args:  exactly(),
		RunE: p.onRun(func(ctx context.Context, run *fleet.Run) error {
			s, err := run.Status(ctx)
			switch {
			case err != nil:
				return failed(err)
			case asJSON:
				return failed(json.NewEncoder(p.stdout).Encode(s))
			case asPrometheus:
				return failed(writeMetrics(p.stdout, s))
			}
			writeStatus(p.stdout, s)
			return nil
		}),
	}
	p.serverFlags(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.Flags().BoolVar(&asPrometheus, "prometheus", false, "the text format of Prometheus, such as for its node exporter")
	cmd.MarkFlagsMutuallyExclusive("json", "prometheus")
	return cmd
}

// writeStatus writes a status for people.
func writeStatus(w io.Writer, s fleet.Status) {
	state := "the plan is not complete"
	switch {
	case s.Ended:
		state = "ended"
	case s.Complete:
		state = "the plan is complete"
	}
	fmt.Fprintf(w, "run %s: %s: %s\n", s.Run, show.Printable(s.Source), state)
	fmt.Fprintf(w, "objects: %d planned, %d done, %d dead, %d open\n", s.Planned, s.Done, s.Dead, s.Open)
	fmt.Fprintf(w, "bytes: %s of %s%s\n", show.Human(s.DoneBytes), show.Human(s.PlannedBytes), pace(s))
	fmt.Fprintf(w, "messages: %d waiting, %d in flight\n", s.Waiting, s.InFlight)
	if len(s.Nodes) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "node\tworkers\tdone\tskipped\tdead\tfetched\trate\t")
	for _, n := range s.Nodes {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%s\t%s/s\t\n",
			show.Printable(n.Node), n.Workers, n.Done, n.Skipped, n.Dead, show.Human(n.Fetched), show.Human(n.BytesPerSecond))
	}
	t.Flush()
}

func pace(s fleet.Status) string {
	if s.Ended || s.BytesPerSecond == 0 {
		return ""
	}
	text := ", " + show.Human(s.BytesPerSecond) + "/s"
	if s.SecondsLeft >= 0 {
		text += fmt.Sprintf(", about %v left", time.Duration(s.SecondsLeft)*time.Second)
	}
	return text
}
