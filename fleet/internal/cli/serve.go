package cli

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/s3processpool/processpool/fleet/internal/embedded"
)

func (p *program) serveCommand() *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "serve [flags]",
		Short: "run the server alone, until a signal comes",
		Long: `Runs a NATS server with JetStream alone, until a signal comes, and prints the URL for --nats, which
has a secret. It is for trying things out on a few machines of one network: connections are not
encrypted. For more, run a NATS cluster.`,
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			host, text, err := net.SplitHostPort(listen)
			if err != nil {
				return fmt.Errorf("--listen: %w", err)
			}
			port, err := strconv.Atoi(text)
			if err != nil {
				return fmt.Errorf("--listen: the port is %q, and no number", text)
			}
			dir, err := p.storeDir()
			if err != nil {
				return err
			}
			if p.store == "" {
				dir = filepath.Join(dir, ".serve") // no run has such a name
			}
			s, err := embedded.Start(embedded.Options{Dir: dir, Host: host, Port: port})
			switch {
			case errors.Is(err, embedded.ErrRunning):
				return failed(fmt.Errorf("another s3fleet has the server in %s", dir))
			case err != nil:
				return failed(err)
			}
			defer s.Stop()
			fmt.Fprintln(p.stdout, s.URL())
			<-p.interrupt.drain
			return nil
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:4222", "`address` to listen on")
	cmd.Flags().StringVar(&p.store, "store", "", "`directory` of the server's files; default: s3fleet/.serve in the user's state directory")
	return cmd
}
