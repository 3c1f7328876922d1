package processpool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/pool"
)

// version is the library's, as the user agent bears it.
const version = "0.1.0"

// Downloader downloads objects with a fixed pool of worker processes. It may be
// used from many goroutines at once. Who makes one calls Shutdown, or leaves the
// workers to end with the application's process.
//
//	NewDownloader -> new --Start, first DownloadFile--> running --Shutdown--> shut down
//	                   \_____________________Shutdown_______________________/
type Downloader struct {
	config Config
	pool   pool.Options

	counters counters

	mu struct {
		sync.Mutex
		state     state
		nextID    int64
		scheduler *scheduler // while running, and after
	}
}

type state int

const (
	stateNew state = iota
	stateRunning
	stateShutdown // or being
)

// NewDownloader makes a Downloader of the application's aws.Config. It reports
// everything that is wrong with the configuration in one error, and starts nothing.
func NewDownloader(cfg aws.Config, optFns ...func(*Config)) (*Downloader, error) {
	if role != "" {
		return nil, errors.New("processpool: this process is a worker of a pool and must not make another: a Config.WorkerCommand program calls ServeWorker first thing in main")
	}
	config, options, err := configure(cfg, optFns)
	if err != nil {
		return nil, fmt.Errorf("processpool: configuration: %w", err)
	}
	return &Downloader{config: config, pool: options}, nil
}

// Start starts the pool and waits until a first worker is ready. The first
// DownloadFile starts it, too, without waiting. It returns ErrShutdown after
// Shutdown, an error that is ErrWorkerLost when no worker comes up, and
// errors.ErrUnsupported where workers cannot be started.
func (d *Downloader) Start() error {
	s, err := d.running()
	if err != nil {
		return fmt.Errorf("processpool: start: %w", err)
	}
	ready := make(chan error, 1)
	if !s.do(func() { s.await(ready) }) {
		return fmt.Errorf("processpool: start: %w", ErrShutdown)
	}
	if err := <-ready; err != nil {
		return fmt.Errorf("processpool: start: %w", err)
	}
	return nil
}

// DownloadFile begins to download an object to the file at filename, and returns
// its Future at once; whatever goes wrong, also with the arguments, is the Future's
// result. When ctx ends, the download is canceled.
//
// The file appears at filename, by a rename, when it is complete and verified; a
// file that is there before is replaced and its permission bits are kept, a
// symbolic link is followed, and anything but a regular file is refused.
func (d *Downloader) DownloadFile(ctx context.Context, bucket, key, filename string, optFns ...func(*DownloadOptions)) *Future {
	f := d.newFuture(bucket, key, filename, optFns)
	if err := f.meta.validate(); err != nil {
		f.settle(Object{}, f.fail("check", err))
		return f
	}
	s, err := d.running()
	if err != nil {
		f.settle(Object{}, f.fail("start", err))
		return f
	}
	if !s.do(func() { s.submit(ctx, f) }) {
		f.settle(Object{}, f.fail("start", ErrShutdown))
	}
	return f
}

// newFuture makes the next download's.
func (d *Downloader) newFuture(bucket, key, filename string, optFns []func(*DownloadOptions)) *Future {
	var options DownloadOptions
	for _, fn := range optFns {
		fn(&options)
	}
	d.mu.Lock()
	id := d.mu.nextID
	d.mu.nextID++
	d.mu.Unlock()
	return newFuture(d, id, bucket, key, filename, options)
}

// Shutdown refuses new downloads, waits for those under way (of a Directory: for all
// that it has yet to begin), then for every worker process. It may be called often and from several goroutines, also before Start;
// every call returns when the pool is gone.
func (d *Downloader) Shutdown() error {
	d.mu.Lock()
	d.mu.state = stateShutdown
	s := d.mu.scheduler
	d.mu.Unlock()
	if s != nil {
		s.do(s.shutdown)
		<-s.ended
	}
	return nil
}

// running returns the scheduler, which it starts if need be.
func (d *Downloader) running() (*scheduler, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch d.mu.state {
	case stateShutdown:
		return nil, ErrShutdown
	case stateNew:
		if !ipc.Available {
			return nil, fmt.Errorf("worker processes: %w on this platform", errors.ErrUnsupported)
		}
		d.mu.scheduler = newScheduler(d.config, d.pool, &d.counters)
		d.mu.state = stateRunning
	}
	return d.mu.scheduler, nil
}

// cancel ends a download with cause unless it has ended.
func (d *Downloader) cancel(f *Future, cause error) {
	select {
	case <-f.done:
		return
	default:
	}
	d.mu.Lock()
	s := d.mu.scheduler
	d.mu.Unlock()
	if s != nil {
		s.do(func() { s.cancel(f, cause) })
	}
}

// validate checks the arguments of one download.
func (m *Meta) validate() error {
	var faults []error
	fault := func(bad bool, text string) {
		if bad {
			faults = append(faults, errors.New(text))
		}
	}
	fault(m.Bucket == "", "no bucket named")
	fault(m.Key == "", "no key named")
	fault(m.Filename == "", "no file named")
	fault(!utf8.ValidString(m.Key), "the key is not valid UTF-8, as every key in S3 is")
	fault(isObjectLambda(m.Bucket), "the bucket is an S3 Object Lambda access point, whose answers have no ranges and no ETag to hold on to: use GetObject")
	fault(m.ExpectedSize != nil && *m.ExpectedSize < 0, "ExpectedSize is negative")
	a := m.ExtraArgs
	fault(a.ChecksumMode != "" && a.ChecksumMode != types.ChecksumModeEnabled, "ExtraArgs.ChecksumMode is neither empty nor ENABLED")
	fault(a.RequestPayer != "" && a.RequestPayer != types.RequestPayerRequester, "ExtraArgs.RequestPayer is neither empty nor requester")
	fault((a.SSECustomerKey == "") != (a.SSECustomerAlgorithm == ""), "ExtraArgs names only one of SSECustomerKey and SSECustomerAlgorithm")
	return errors.Join(faults...)
}

// isObjectLambda tells arn:aws:s3-object-lambda:... and the alias form ...--ol-s3
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/transforming-objects.html).
func isObjectLambda(bucket string) bool {
	parts := strings.SplitN(bucket, ":", 4)
	return len(parts) == 4 && parts[0] == "arn" && parts[2] == "s3-object-lambda" || strings.HasSuffix(bucket, "--ol-s3")
}

// canceled is the error of a download whose context has ended.
func canceled(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != context.Canceled {
		return fmt.Errorf("%w: %w", failure.ErrCanceled, cause)
	}
	return failure.ErrCanceled
}
