package processpool

import (
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/environ"
	"github.com/s3processpool/processpool/internal/fence"
	"github.com/s3processpool/processpool/internal/pool"
	"github.com/s3processpool/processpool/internal/reexec"
	"github.com/s3processpool/processpool/internal/settings"
)

// ServeWorker turns a program into a worker for Config.WorkerCommand: a slim binary, or one
// whose S3 client has settings that cannot cross a process boundary, such as middleware. optFns
// are applied to the client's options last.
//
// ServeWorker returns nil when the pool does not need the worker any more; main should then
// return. It returns an error at once if no pool has started the program.
//
// In a program that is built with the tag processpool_noinit, nothing of this package runs before
// main. Its pools need a WorkerCommand, such as this executable with the argument "worker", whose
// main calls ServeWorker.
func ServeWorker(optFns ...func(*s3.Options)) error { return reexec.Serve(optFns) }

// command returns how to start a worker.
func (c *Config) command() (pool.Command, error) {
	if c.WorkerCommand != nil {
		if len(c.WorkerCommand) == 0 || c.WorkerCommand[0] == "" {
			return pool.Command{}, nil // validate says so
		}
		// A relative name would be another program once the working directory has changed.
		program, err := exec.LookPath(c.WorkerCommand[0])
		if err == nil {
			program, err = filepath.Abs(program)
		}
		if err != nil {
			return pool.Command{}, fmt.Errorf("WorkerCommand: %w", err)
		}
		args := append([]string{program}, c.WorkerCommand[1:]...)
		return pool.Command{Args: args, Env: reexec.Environ(false)}, nil
	}
	if !reexec.Init {
		return pool.Command{}, errors.New("no WorkerCommand: this program is built with the tag processpool_noinit, so that its executable does not serve by itself: " +
			"give one, such as {executable, \"worker\"}, whose main calls ServeWorker")
	}
	self, err := pool.Self()
	if err != nil {
		return pool.Command{}, fmt.Errorf("find this executable: %w", err)
	}
	return pool.Command{Args: []string{self}, Env: reexec.Environ(true)}, nil
}

// fence returns the fence for workers that are started with command.
func (c *Config) fence(command pool.Command, ports []uint16, pretend fence.Pretend) *fence.Plan {
	if len(command.Args) == 0 {
		return nil // an error of command
	}
	return fence.New(fence.Options{
		Mode: fence.Mode(c.Sandbox), Program: command.Args[0], Foreign: c.WorkerCommand != nil, Ports: ports, Pretend: pretend,
	})
}

// extractor returns the settings of an aws.Config or a client, with the given options applied.
type extractor func(optFns []func(*s3.Options), caGiven bool) settings.Extracted

// NewFromClient is NewDownloader for the settings of a client, as its Options returns them. The client
// itself makes no request and is not kept; its credentials provider is.
func NewFromClient(client *s3.Client, optFns ...func(*Config)) (*Downloader, error) {
	if client == nil {
		return nil, errors.New("processpool: NewFromClient: the client is nil: give one of s3.New or s3.NewFromConfig")
	}
	return newDownloader(func(fns []func(*s3.Options), caGiven bool) settings.Extracted {
		return settings.ExtractClient(client, fns, caGiven)
	}, environ.Of(aws.Config{}), optFns)
}

func newDownloader(extract extractor, e environ.Environ, optFns []func(*Config)) (*Downloader, error) {
	if err := reexec.Application(); err != nil {
		return nil, fmt.Errorf("processpool: %w", err)
	}
	d := &Downloader{}
	config, err := d.configure(extract, e, optFns)
	if err != nil {
		return nil, fmt.Errorf("processpool: configuration: %w", err)
	}
	d.defaults = DownloadOptions{
		Verify: config.Verify, Durable: config.Durable, DirectIO: config.DirectIO,
		MultipartThreshold: config.MultipartThreshold, MultipartChunksize: config.MultipartChunksize,
	}
	d.env.Logger, d.env.Counters = config.Logger, &d.counters
	d.adaptive = config.Adaptive
	d.rate.Store(config.MaxBytesPerSecond)
	return d, nil
}

// configure applies the caller's functions to the defaults, and keeps what they come to in
// d.pool and d.env.
func (d *Downloader) configure(extract extractor, e environ.Environ, optFns []func(*Config)) (Config, error) {
	c := defaultConfig(extract(nil, true))
	for _, fn := range optFns {
		fn(&c)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	faults := []error{c.validate()}
	if c.CABundle == nil {
		bundle, err := settings.EnvironmentCABundle(maxBundle)
		c.CABundle = bundle
		faults = append(faults, err)
	}
	given := slices.DeleteFunc(slices.Clone(c.ClientOptions), func(fn func(*s3.Options)) bool { return fn == nil })
	x := extract(given, c.CABundle != nil)
	s := x.Settings
	s.Slots, s.MaxAttempts, s.StallTimeout = c.RequestsPerProcess, c.MaxAttempts, c.StallTimeout
	s.RetryTimeout, s.Attempts = c.retryTimeout(), c.OnAttempt != nil
	s.CABundle, s.UserAgent = c.CABundle, "processpool/"+reexec.Version
	if c.WorkerCommand == nil && s.PlainHTTP() {
		s.CABundle = nil // no worker needs it, and each would read it at its start
	}
	if s.Client.Region == "" {
		faults = append(faults, errors.New("no region: set one in the aws.Config or in ClientOptions, or AWS_REGION in the environment"))
	}
	command, err := c.command()
	faults = append(faults, s.Check(), err)
	if len(x.Foreign) > 0 && c.WorkerCommand == nil && c.Foreign == ForeignRefuse {
		faults = append(faults, x.Foreign.Err(),
			errors.New("to have workers do without what cannot cross, set Config.Foreign to ForeignWarn; Config.OnAttempt tells the application of each request"))
	}
	d.env.Files, d.env.Slow, d.told = e.Files, e.Slow, told(c.OnAttempt)
	s.Hurry = e.Hurry
	d.pool = pool.Options{
		Processes:    c.MaxRequestProcesses,
		Command:      command,
		Settings:     s,
		Credentials:  x.Credentials,
		Fence:        c.fence(command, s.Ports(), e.Fence),
		Nice:         c.Nice,
		Logger:       c.Logger,
		StartTimeout: e.StartTimeout,
		StopTimeout:  e.StopTimeout,
		Heartbeat:    e.Heartbeat,

		CancelTimeout: e.CancelTimeout,
	}
	faults = append(faults, d.pool.Check())
	err = errors.Join(faults...)
	if err == nil {
		c.warnForeign(x.Foreign)
	}
	if err == nil && x.Credentials != nil && s.Exposed() {
		c.Logger.Warn("requests cross the network in plain HTTP: others can read the objects and a session token, "+
			"and change what arrives; give an https endpoint", "endpoint", aws.ToString(s.Client.BaseEndpoint))
	}
	return c, err
}

// warnForeign says which settings the workers do without.
func (c *Config) warnForeign(foreign settings.Foreign) {
	switch {
	case len(foreign) == 0:
	case c.WorkerCommand != nil:
		c.Logger.Warn("settings cannot cross to workers: WorkerCommand's program must apply them", "settings", foreign.Fields())
	default:
		c.Logger.Warn("settings cannot cross to workers, which do without them (Foreign: ForeignWarn)", "settings", foreign.Fields())
	}
}
