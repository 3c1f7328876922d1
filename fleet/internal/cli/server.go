package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/fleet/internal/embedded"
)

// connect connects to the server of --nats, or else to the one of the run on this machine, which it
// starts unless another process has.
func (p *program) connect(ctx context.Context, run string) (*link, error) {
	if p.server.URL != "" {
		nc, err := fleet.Connect(p.server, "s3fleet")
		if err != nil {
			return nil, err
		}
		// A call that is not allowed gets no answer: only the connection is told.
		handle := nc.ErrorHandler()
		nc.SetErrorHandler(func(nc *nats.Conn, s *nats.Subscription, err error) {
			handle(nc, s, err)
			if errors.Is(err, nats.ErrPermissionViolation) {
				p.complain(fmt.Errorf("the NATS server allows this user too little (see README.md): %w", err))
			}
		})
		return &link{nc: nc, url: p.server.URL}, nil
	}
	if p.server.Creds != "" || p.server.CA != "" {
		return nil, errors.New("--creds and --tls-ca are for the server of --nats: add it")
	}
	dir, err := p.storeDir()
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, run)
	server, err := embedded.Start(embedded.Options{Dir: dir})
	switch {
	case errors.Is(err, embedded.ErrRunning):
		return join(ctx, dir)
	case err != nil:
		return nil, fmt.Errorf("start a server in %s: %w", dir, err)
	}
	l := &link{url: server.URL(), own: true}
	l.mu.server = server
	if l.nc, err = fleet.Connect(fleet.Server{URL: l.url}, "s3fleet"); err != nil {
		server.Stop()
		return nil, err
	}
	return l, nil
}

// storeDir is where the servers of this machine have their files, one directory for each run.
func (p *program) storeDir() (string, error) {
	if p.store != "" {
		return filepath.Abs(p.store)
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "s3fleet"), nil
	}
	if runtime.GOOS == "windows" {
		dir, err := os.UserCacheDir()
		return filepath.Join(dir, "s3fleet"), err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%w: name a directory with --store", err)
	}
	return filepath.Join(home, ".local", "state", "s3fleet"), nil
}

// onRun returns a command's function that does something with an existing run.
func (p *program) onRun(do func(context.Context, *fleet.Run) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		run, l, err := p.open(cmd.Context())
		if err != nil {
			return err
		}
		defer l.close(false)
		return do(cmd.Context(), run)
	}
}

// open connects to an existing run: that of --run, or the only one.
func (p *program) open(ctx context.Context) (*fleet.Run, *link, error) {
	name := p.run
	if name == "" && p.server.URL == "" {
		var err error
		if name, err = p.onlyStore(); err != nil {
			return nil, nil, err
		}
	}
	if p.server.URL == "" {
		if err := p.haveStore(name); err != nil {
			return nil, nil, err
		}
	}
	l, err := p.connect(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if name == "" {
		names, err := fleet.Names(ctx, l.nc)
		if err == nil {
			name, err = only(names, "the server")
		}
		if err != nil {
			l.close(false)
			return nil, nil, err
		}
	}
	run, err := fleet.Open(ctx, l.nc, name)
	if err != nil {
		l.close(false)
		return nil, nil, err
	}
	return run, l, nil
}

// haveStore returns an error unless this machine has a server for the run.
func (p *program) haveStore(name string) error {
	if err := fleet.CheckName(name); err != nil {
		return err
	}
	dir, err := p.storeDir()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
		return fmt.Errorf("run %s: %w on this machine (%s): name the server with --nats, or plan the run first", name, fleet.ErrNoRun, dir)
	}
	return nil
}

// onlyStore returns the run of this machine, if there is one.
func (p *program) onlyStore() (string, error) {
	dir, err := p.storeDir()
	if err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && fleet.CheckName(e.Name()) == nil {
			names = append(names, e.Name())
		}
	}
	return only(names, "this machine")
}

func only(names []string, where string) (string, error) {
	switch len(names) {
	case 0:
		return "", fmt.Errorf("%s has no run: begin with s3fleet run, or with s3fleet plan", where)
	case 1:
		return names[0], nil
	}
	return "", fmt.Errorf("%s has several runs: name one with --run: %s", where, strings.Join(names, ", "))
}
