package processpool

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/pool"
	"github.com/s3processpool/processpool/internal/settings"
)

const mib = 1 << 20

// Config is how a Downloader works. NewDownloader fills in the defaults before its
// functions see it, so that a zero they leave behind is their own, and refused
// where it makes no sense.
type Config struct {
	// MultipartThreshold is the size in bytes from which on an object is split into
	// ranges. Default 8 MiB.
	MultipartThreshold int64

	// MultipartChunksize is the size in bytes of each range but the last. Default
	// 8 MiB.
	MultipartChunksize int64

	// MaxRequestProcesses is the number of worker processes. Default 10.
	MaxRequestProcesses int

	// RequestsPerProcess is the number of requests in flight in one worker, each
	// with a connection and a buffer of 1 MiB of its own. Default 1.
	RequestsPerProcess int

	// MaxAttempts bounds the attempts in a row for a range (or a HeadObject) that make
	// no headway; one that brings bytes begins the count anew. Default: the
	// RetryMaxAttempts of the aws.Config where it is set, else 5.
	MaxAttempts int

	// StallTimeout is how long a connection may deliver nothing before it is dropped
	// and the range is asked for again. Default: the read timeout of the aws.Config's
	// HTTP client where it is set, else 20 s.
	StallTimeout time.Duration

	// Verify says what is proved of the bytes. Default VerifyAuto.
	Verify VerifyMode

	// Durable has Result wait until the file's bytes and its name are on stable
	// storage (fsync of the file before the rename, of its directory after). Without it
	// a Result of nil promises the file to every program that runs, but after a crash
	// of the machine or a loss of power it may be missing, be the old one, or be short:
	// that is the file system's choice. The one error after which the file is in place
	// all the same is that of the directory's fsync. Default false.
	Durable bool

	// ClientOptions are applied as s3.NewFromConfig does: region, endpoint, path
	// style and so on. Settings cross to the workers as plain values. What holds code
	// (middleware, an HTTP client of another type, a resolver) cannot, and is an
	// error of NewDownloader's, unless WorkerCommand is given.
	ClientOptions []func(*s3.Options)

	// CABundle holds the root certificates, in PEM. Default: the file that
	// AWS_CA_BUNDLE names, else the system's roots.
	CABundle []byte

	// WorkerCommand is the program, and its arguments, to run as a worker; it must
	// call ServeWorker. Default: this executable again.
	WorkerCommand []string

	// Logger is told of lost workers and what workers write to their standard error
	// (warnings), of attempts that are made again (info), and of each answered request
	// and the end of each download (debug), with bucket, key, range, attempt, worker's
	// pid and S3's request id where there is one. Default: nothing is logged.
	Logger *slog.Logger
}

// VerifyMode says what is proved of an object's bytes before the file appears.
type VerifyMode int

const (
	// VerifyAuto holds the bytes against what S3 keeps: a checksum, or an ETag that
	// is an MD5. Where S3 keeps neither the download succeeds, and Object().Verified
	// is empty.
	VerifyAuto VerifyMode = iota
	// VerifyRequired is VerifyAuto, but ErrUnverifiable where there is nothing to
	// hold the bytes against.
	VerifyRequired
	// VerifyOff computes and compares nothing.
	VerifyOff
)

func (m VerifyMode) String() string {
	switch m {
	case VerifyAuto:
		return "auto"
	case VerifyRequired:
		return "required"
	case VerifyOff:
		return "off"
	}
	return fmt.Sprintf("VerifyMode(%d)", int(m))
}

func defaultConfig(x settings.Extracted) Config {
	c := Config{
		MultipartThreshold:  8 * mib,
		MultipartChunksize:  8 * mib,
		MaxRequestProcesses: 10,
		RequestsPerProcess:  1,
		MaxAttempts:         5,
		StallTimeout:        20 * time.Second,
		Logger:              slog.New(slog.DiscardHandler),
	}
	if n := x.Settings.MaxAttempts; n > 0 {
		c.MaxAttempts = n
	}
	if d := x.Settings.StallTimeout; d > 0 {
		c.StallTimeout = d
	}
	return c
}

// Limits that only a mistake exceeds.
const (
	maxProcesses = 4096
	maxRequests  = 1024
	maxBundle    = ipc.MaxFrame / 2 // bytes; it is passed to workers in one frame
)

// validate returns all faults at once.
func (c *Config) validate() error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	const orDefault = "leave it alone for the default"
	fault(c.MultipartThreshold < 1, "MultipartThreshold is %d bytes: give at least 1, or %s", c.MultipartThreshold, orDefault)
	fault(c.MultipartChunksize < 1, "MultipartChunksize is %d bytes: give at least 1, or %s", c.MultipartChunksize, orDefault)
	fault(c.MaxRequestProcesses < 1 || c.MaxRequestProcesses > maxProcesses,
		"MaxRequestProcesses is %d: give 1 to %d, or %s", c.MaxRequestProcesses, maxProcesses, orDefault)
	fault(c.RequestsPerProcess < 1 || c.RequestsPerProcess > maxRequests,
		"RequestsPerProcess is %d: give 1 to %d, or %s", c.RequestsPerProcess, maxRequests, orDefault)
	fault(c.MaxAttempts < 1, "MaxAttempts is %d: give at least 1, or %s", c.MaxAttempts, orDefault)
	fault(c.StallTimeout <= 0, "StallTimeout is %v: give a positive duration, or %s", c.StallTimeout, orDefault)
	fault(c.Verify < VerifyAuto || c.Verify > VerifyOff, "Verify is %v: give VerifyAuto, VerifyRequired or VerifyOff", c.Verify)
	for i, entry := range c.ClientOptions {
		fault(entry == nil, "ClientOptions[%d] is nil", i)
	}
	fault(c.WorkerCommand != nil && (len(c.WorkerCommand) == 0 || c.WorkerCommand[0] == ""),
		"WorkerCommand is empty: name a program that calls ServeWorker, or leave it nil for this executable")
	fault(len(c.CABundle) > maxBundle, "CABundle has %d bytes: at most %d are passed to workers", len(c.CABundle), maxBundle)
	fault(c.CABundle != nil && !holdsCertificate(c.CABundle), "CABundle holds no PEM certificate")
	return errors.Join(faults...)
}

// environmentCABundle reads the file that AWS_CA_BUNDLE names.
func environmentCABundle() ([]byte, error) {
	name := os.Getenv("AWS_CA_BUNDLE")
	if name == "" {
		return nil, nil
	}
	bundle, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("AWS_CA_BUNDLE: %w", err)
	}
	if len(bundle) > maxBundle {
		return nil, fmt.Errorf("AWS_CA_BUNDLE: %s has %d bytes: at most %d are passed to workers", name, len(bundle), maxBundle)
	}
	if !holdsCertificate(bundle) {
		return nil, fmt.Errorf("AWS_CA_BUNDLE: %s holds no PEM certificate", name)
	}
	return bundle, nil
}

// holdsCertificate looks for a first certificate; a system's bundle has hundreds.
func holdsCertificate(bundle []byte) bool {
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			return true
		}
	}
	return false
}

// plainHTTP tells that no worker will need a root certificate, and so need not read
// them at its start.
func (c *Config) plainHTTP(s *settings.Settings) bool {
	endpoint := aws.ToString(s.Client.BaseEndpoint)
	proxied := os.Getenv("HTTP_PROXY") != "" || os.Getenv("http_proxy") != ""
	return strings.HasPrefix(endpoint, "http://") && !proxied && c.WorkerCommand == nil
}

// configure applies the caller's functions and makes pool options of the outcome.
func configure(cfg aws.Config, optFns []func(*Config)) (Config, pool.Options, error) {
	c := defaultConfig(settings.Extract(cfg, nil, true))
	for _, fn := range optFns {
		fn(&c)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	faults := []error{c.validate()}
	if c.CABundle == nil {
		bundle, err := environmentCABundle()
		c.CABundle = bundle
		faults = append(faults, err)
	}
	given := slices.DeleteFunc(slices.Clone(c.ClientOptions), func(fn func(*s3.Options)) bool { return fn == nil })
	x := settings.Extract(cfg, given, c.CABundle != nil)
	s := x.Settings
	s.Slots, s.MaxAttempts, s.StallTimeout = c.RequestsPerProcess, c.MaxAttempts, c.StallTimeout
	s.CABundle, s.UserAgent = c.CABundle, "processpool/"+version
	if c.plainHTTP(&s) {
		s.CABundle = nil
	}
	if s.Client.Region == "" {
		faults = append(faults, errors.New("no region: set one in the aws.Config or in ClientOptions, or AWS_REGION in the environment"))
	}
	command, err := c.command()
	faults = append(faults, err)
	if c.WorkerCommand == nil {
		faults = append(faults, x.Foreign)
	} else if x.Foreign != nil {
		c.Logger.Warn("left to WorkerCommand's program", "settings", x.Foreign)
	}
	return c, pool.Options{
		Processes:   c.MaxRequestProcesses,
		Command:     command,
		Settings:    s,
		Credentials: x.Credentials,
		Logger:      c.Logger,
	}, errors.Join(faults...)
}

func (c *Config) command() (pool.Command, error) {
	if c.WorkerCommand != nil {
		return pool.Command{Args: c.WorkerCommand, Env: []string{marker + "=" + markCommand}}, nil
	}
	self, err := pool.Self()
	if err != nil {
		return pool.Command{}, fmt.Errorf("find this executable: %w", err)
	}
	return pool.Command{Args: []string{self}, Env: []string{marker + "=" + markSelf}}, nil
}
