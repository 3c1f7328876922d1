package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/pflag"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/internal/tool/show"
)

// flags are the values of all flags.
type flags struct {
	server     fleet.Server
	store, run string

	profile, region, endpoint string
	unsigned                  bool

	processes, requests int
	chunk, limitRate    show.Size
	maxDeliver          int
	attempts            int
	grace               time.Duration
	node                string
	verbose             bool

	format, columns, bucket string
	raw, fresh              bool
	ackWait                 time.Duration
	inFlight, replicas      int
}

func (f *flags) serverFlags(s *pflag.FlagSet) {
	s.StringVar(&f.server.URL, "nats", "", "`URL` of the NATS server, such as tls://host:4222; default: one in this process, for this machine")
	s.StringVar(&f.server.Creds, "creds", "", "`file` with the credentials for it")
	s.StringVar(&f.server.CA, "tls-ca", "", "`file` with the root certificates for it; default: the system's")
	s.StringVar(&f.store, "store", "", "`directory` of the server in this process; default: s3fleet in the user's state directory")
	s.StringVar(&f.run, "run", "", "`name` of the run")
}

func (f *flags) sourceFlags(s *pflag.FlagSet) {
	s.StringVar(&f.profile, "profile", "", "`profile` of the AWS configuration")
	s.StringVar(&f.region, "region", "", "`region` of the bucket")
	s.StringVar(&f.endpoint, "endpoint", "", "`URL` of a server other than AWS")
	s.BoolVar(&f.unsigned, "no-sign-request", false, "send no credentials")
}

func (f *flags) planFlags(s *pflag.FlagSet) {
	s.StringVar(&f.format, "format", "", "of a list: lines, jsonl or csv; default: by its name, or else its first character")
	s.StringVar(&f.columns, "columns", "", "`names` of the columns of a CSV without a heading, as S3 Inventory's manifest has them")
	s.StringVar(&f.bucket, "bucket", "", "`bucket` of entries that have none")
	s.BoolVar(&f.raw, "raw", false, "* and ? in a list are characters of a key")
	s.BoolVar(&f.fresh, "fresh", false, "remove an earlier run of this name first")
	s.DurationVar(&f.ackWait, "ack-wait", 30*time.Second, "after this `time` without progress, another worker gets what one has")
	s.IntVar(&f.inFlight, "max-in-flight", 10_000, "`messages` that all workers together may hold")
	s.IntVar(&f.replicas, "replicas", 1, "`servers` of a cluster that keep the run")
}

func (f *flags) workFlags(s *pflag.FlagSet) {
	s.IntVar(&f.processes, "processes", 4, "`number` of processes that download, for each worker")
	s.IntVar(&f.requests, "requests", 1, "`number` of requests that each of them makes at a time")
	f.chunk = 8 << 20
	s.Var(&f.chunk, "chunk", "`size` of a range, and of objects that are split")
	s.Var(&f.limitRate, "limit-rate", "`bytes` a second that each worker reads at most")
	s.IntVar(&f.attempts, "attempts", 0, "`number` of attempts without headway that end one try of an object; default: the library's, for a minute")
	s.IntVar(&f.maxDeliver, "max-deliver", 10, "`times` that an object is tried until it is dead")
	s.DurationVar(&f.grace, "grace", 20*time.Second, "`time` for what is under way when a signal ends a worker; what is not done then, another one gets")
	s.StringVar(&f.node, "node", "", "`name` of this machine in the status; default: its host name")
	s.BoolVar(&f.verbose, "verbose", false, "log each failure and each attempt that is made again")
}

// awsConfig loads the configuration as the AWS CLI does, and checks that there are credentials.
func (f *flags) awsConfig(ctx context.Context) (aws.Config, error) {
	var load []func(*config.LoadOptions) error
	if f.profile != "" {
		load = append(load, config.WithSharedConfigProfile(f.profile))
	}
	if f.region != "" {
		load = append(load, config.WithRegion(f.region))
	}
	if f.unsigned {
		load = append(load, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return cfg, fmt.Errorf("configuration: %w", err)
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1" // the region of a bucket elsewhere is found
	}
	if !f.unsigned {
		if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
			return cfg, fmt.Errorf("no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a --profile, or add --no-sign-request for a public bucket (%w)", err)
		}
	}
	return cfg, nil
}

func (f *flags) clientOptions(o *s3.Options) {
	if f.endpoint != "" {
		o.BaseEndpoint = aws.String(f.endpoint)
		o.UsePathStyle = true
	}
}

// configure sets the library's configuration.
func (p *program) configure(c *processpool.Config) {
	c.MaxRequestProcesses, c.RequestsPerProcess = p.processes, p.requests
	c.MultipartChunksize, c.MultipartThreshold = int64(p.chunk), int64(p.chunk)
	c.MaxBytesPerSecond = int64(p.limitRate)
	c.ClientOptions = append(c.ClientOptions, p.clientOptions)
	if p.attempts > 0 {
		c.MaxAttempts = p.attempts
	}
	if p.verbose {
		c.Logger = p.logger()
	}
}

func (p *program) logger() *slog.Logger {
	level := slog.LevelError
	if p.verbose {
		level = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: level}))
}

func (f *flags) checkWork() error {
	switch {
	case f.processes < 1 || f.requests < 1:
		return errors.New("--processes and --requests must be at least 1")
	case f.attempts < 0:
		return errors.New("--attempts must be at least 1")
	case f.maxDeliver < 1:
		return errors.New("--max-deliver must be at least 1")
	}
	return nil
}

func (f *flags) checkPlan() error {
	switch {
	case f.ackWait < time.Second:
		return fmt.Errorf("--ack-wait is %v: give at least 1s", f.ackWait)
	case f.inFlight < 1:
		return errors.New("--max-in-flight must be at least 1")
	case f.replicas < 1 || f.replicas > 5:
		return errors.New("--replicas must be 1 to 5")
	}
	switch f.format {
	case "", "lines", "jsonl", "csv":
		return nil
	}
	return fmt.Errorf("--format is %q: want lines, jsonl or csv", f.format)
}
