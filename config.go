package processpool

import (
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/settings"
)

const mib = 1 << 20

// Config configures a Downloader. NewDownloader fills in the defaults before it calls its
// option functions, so that a zero they leave behind is the caller's choice, and is refused
// where it makes no sense.
type Config struct {
	// MultipartThreshold is the size in bytes from which on an object is split into
	// ranges. Default 8 MiB.
	MultipartThreshold int64

	// MultipartChunksize is the size in bytes of each range but the last. Default
	// 8 MiB.
	MultipartChunksize int64

	// MaxRequestProcesses is the number of worker processes. They are started as there is work
	// for them, unless Start starts them all, and stay until Shutdown. Default 10.
	MaxRequestProcesses int

	// RequestsPerProcess is the number of requests that one worker makes at a time, each
	// with its own connection and a buffer of 1 MiB. Default 1.
	RequestsPerProcess int

	// MaxAttempts is the number of attempts in a row for a range, or for a HeadObject,
	// that may make no headway; one that brings bytes resets the count. Default: the
	// RetryMaxAttempts of the aws.Config where it is set, else 5.
	MaxAttempts int

	// RetryTimeout is how long a range, or a HeadObject, may make no headway, attempts and
	// pauses together, before an outage of the server or of the network ends it. It then
	// has made MaxAttempts attempts, too. Other errors do not wait for it, and one that
	// cannot heal ends the download at once (docs/retries.md). 0 means that MaxAttempts
	// alone decides. Default 1 min; but with a MaxAttempts below 5, here or in the
	// aws.Config, 1 min means 0: such a caller prefers an early error. Another value
	// applies as it is.
	RetryTimeout time.Duration

	// StallTimeout is how long a connection may deliver nothing before it is dropped and
	// the range is requested again. Default: the read timeout of the aws.Config's HTTP
	// client where it is set, else 20 s.
	StallTimeout time.Duration

	// Verify says what must be proved of the bytes. Default VerifyAuto.
	Verify VerifyMode

	// Durable makes Result wait until the file's bytes and its name are on stable
	// storage: fsync of the file before the rename, of its directory after it. Without it,
	// a nil Result promises the file to every program that runs; after a crash of the
	// machine or a loss of power the file may be missing, be the old one, or be short, as
	// the file system chooses. An error of the directory's fsync is the only error after
	// which the new file is in place. Where the file system cannot sync files, downloads
	// fail before a byte is fetched. Default false.
	Durable bool

	// DirectIO has workers write past the page cache (O_DIRECT), where the system and the file
	// system can: large downloads to a disk are faster, and evict nothing from memory. Elsewhere
	// it changes nothing; Stats and Object tell how many bytes went which way. See
	// docs/tuning.md. Default false.
	DirectIO bool

	// MaxBytesPerSecond limits how fast the whole pool reads objects, in bytes a second. Workers that
	// are busy share it. Requests that read no object are not limited. Downloader.SetMaxBytesPerSecond
	// changes it. See docs/tuning.md. Default 0: no limit.
	MaxBytesPerSecond int64

	// Adaptive has the number of requests in flight found by measuring: MaxRequestProcesses times
	// RequestsPerProcess at first, then fewer where that is as fast or faster, and more again where it
	// is not. Stats tells the number. See docs/tuning.md. Default false: all of them, unless S3 asks for
	// a slower pace.
	Adaptive bool

	// Sandbox says whether workers are fenced in: kept from other programs and their memory,
	// from files by name, and from TCP ports that are not S3's. Default SandboxAuto.
	// docs/security.md tells what is fenced and what is not.
	Sandbox SandboxMode

	// Nice is added to each worker's niceness, from 0 to 19: workers give way to other
	// programs when processors are scarce. Default 0.
	Nice int

	// ClientOptions are applied as by s3.NewFromConfig: region, endpoint, path style and
	// so on. Settings cross to the workers as plain values. A setting that holds code
	// (middleware, an HTTP client of another type, a resolver) cannot cross: see Foreign.
	ClientOptions []func(*s3.Options)

	// Foreign says what becomes of settings of the aws.Config, the client or ClientOptions
	// that cannot cross to the workers. Default ForeignRefuse.
	Foreign ForeignMode

	// CABundle holds the root certificates, in PEM. Default: the file that AWS_CA_BUNDLE
	// names, else the system's roots.
	CABundle []byte

	// WorkerCommand is the program to run as a worker, with its arguments. It must call
	// ServeWorker. It is fenced in only with SandboxRequired, because its own code may need
	// more than a worker does. Default: this executable again.
	WorkerCommand []string

	// Logger receives warnings about lost workers, and what workers write to their
	// standard error, up to 256 KiB and then 16 KiB/s of each; info records about attempts that are
	// made again and about the sandbox in force; and debug records
	// about each answered request and each download's end. They have the bucket, key,
	// range, attempt, the worker's pid and S3's request id, where there is one. Default:
	// nothing is logged.
	Logger *slog.Logger

	// OnAttempt is told of the end of each request to S3, in the application: for traces and
	// metrics, in place of middleware in the workers. Calls come one at a time, from a goroutine of
	// the Downloader's own, in the order in which the workers' reports arrive. All requests of a
	// download are told before its Future ends, and the last one before Shutdown returns; so OnAttempt
	// must not wait for a Future or for Shutdown. A slow one slows downloads down: with some thousand
	// requests not told yet, no further ones are made. A panic is the application's, as of any
	// goroutine. It costs each request a message from its worker. Default: nil, at no cost.
	OnAttempt func(Attempt)
}

// ForeignMode says what becomes of settings that cannot cross to the workers because they hold code:
// middleware (as OpenTelemetry's), a tracer provider, an HTTP client of another type, a resolver.
type ForeignMode int

const (
	// ForeignRefuse makes them an error of NewDownloader, which names each and what to do. With a
	// WorkerCommand, whose program must apply them, they are a warning in the log.
	ForeignRefuse ForeignMode = iota
	// ForeignWarn leaves them out: workers have the SDK's defaults in their place. One record at
	// slog.LevelWarn names them all. OnAttempt has in the application what middleware and tracers
	// would have seen in the workers.
	ForeignWarn
)

func (m ForeignMode) String() string { return nameOf("ForeignMode", int(m), "refuse", "warn") }

const (
	defaultAttempts     = 5
	defaultRetryTimeout = time.Minute
)

// retryTimeout returns the RetryTimeout that applies.
func (c *Config) retryTimeout() time.Duration {
	if c.MaxAttempts < defaultAttempts && c.RetryTimeout == defaultRetryTimeout {
		return 0
	}
	return c.RetryTimeout
}

func defaultConfig(x settings.Extracted) Config {
	c := Config{
		MultipartThreshold:  8 * mib,
		MultipartChunksize:  8 * mib,
		MaxRequestProcesses: 10,
		RequestsPerProcess:  1,
		MaxAttempts:         defaultAttempts,
		RetryTimeout:        defaultRetryTimeout,
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

func (f *faults) verify(m VerifyMode) {
	f.add(m < VerifyAuto || m > VerifyChecksums, "Verify is %v: give VerifyAuto, VerifyRequired, VerifyOff or VerifyChecksums", m)
}

// validate returns all faults at once.
func (c *Config) validate() error {
	const orDefault = "leave it alone for the default"
	var f faults
	f.add(c.MultipartThreshold < 1, "MultipartThreshold is %d bytes: give at least 1, or %s", c.MultipartThreshold, orDefault)
	f.add(c.MultipartChunksize < 1, "MultipartChunksize is %d bytes: give at least 1, or %s", c.MultipartChunksize, orDefault)
	f.add(c.MaxRequestProcesses < 1 || c.MaxRequestProcesses > maxProcesses,
		"MaxRequestProcesses is %d: give 1 to %d, or %s", c.MaxRequestProcesses, maxProcesses, orDefault)
	f.add(c.RequestsPerProcess < 1 || c.RequestsPerProcess > maxRequests,
		"RequestsPerProcess is %d: give 1 to %d, or %s", c.RequestsPerProcess, maxRequests, orDefault)
	f.add(c.MaxAttempts < 1, "MaxAttempts is %d: give at least 1, or %s", c.MaxAttempts, orDefault)
	f.add(c.RetryTimeout < 0, "RetryTimeout is %v: give a positive duration, 0 for MaxAttempts alone, or %s", c.RetryTimeout, orDefault)
	f.add(c.RetryTimeout > 0 && c.RetryTimeout < time.Millisecond, "RetryTimeout is %v: a duration needs a unit, such as time.Minute", c.RetryTimeout)
	f.add(c.StallTimeout <= 0, "StallTimeout is %v: give a positive duration, or %s", c.StallTimeout, orDefault)
	f.add(c.StallTimeout > 0 && c.StallTimeout < time.Millisecond,
		"StallTimeout is %v: a duration needs a unit, such as 20*time.Second", c.StallTimeout)
	f.add(c.MaxBytesPerSecond < 0, "MaxBytesPerSecond is %d: give a positive number of bytes, or 0 for no limit", c.MaxBytesPerSecond)
	f.verify(c.Verify)
	f.add(c.Sandbox < SandboxAuto || c.Sandbox > SandboxOff, "Sandbox is %v: give SandboxAuto, SandboxRequired or SandboxOff", c.Sandbox)
	f.add(c.Nice < 0 || c.Nice > 19, "Nice is %d: give 0 to 19", c.Nice)
	f.add(c.Foreign < ForeignRefuse || c.Foreign > ForeignWarn, "Foreign is %v: give ForeignRefuse or ForeignWarn", c.Foreign)
	for i, entry := range c.ClientOptions {
		f.add(entry == nil, "ClientOptions[%d] is nil", i)
	}
	f.add(c.WorkerCommand != nil && (len(c.WorkerCommand) == 0 || c.WorkerCommand[0] == ""),
		"WorkerCommand is empty: name a program that calls ServeWorker, or leave it nil for this executable")
	f.add(len(c.CABundle) > maxBundle, "CABundle has %d bytes: at most %d are passed to workers", len(c.CABundle), maxBundle)
	f.add(c.CABundle != nil && !settings.HoldsCertificate(c.CABundle), "CABundle holds no PEM certificate")
	return f.err()
}
