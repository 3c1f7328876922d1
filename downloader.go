package processpool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/dispatch"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/pool"
	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/transfer"
)

// version is the library's, as in the user agent of its requests.
const version = "0.1.0"

// Downloader downloads objects with a fixed pool of worker processes. It may be used by
// many goroutines at once. The caller must call Shutdown; otherwise the workers run until
// the application ends.
//
//	NewDownloader -> new --Start, first DownloadFile--> running --Shutdown--> shut down
//	                   \_____________________Shutdown_______________________/
type Downloader struct {
	pool     pool.Options
	defaults DownloadOptions // what an option function sees
	env      transfer.Env
	counters dispatch.Counters

	mu struct {
		sync.Mutex
		state state
		ids   int64          // given to downloads
		loop  *dispatch.Loop // while running, and after
	}
}

type state int

const (
	stateNew state = iota
	stateRunning
	stateShutdown // Shutdown has been called
)

// NewDownloader returns a Downloader for the application's aws.Config. The error names
// everything that is wrong with the configuration. NewDownloader starts nothing.
func NewDownloader(cfg aws.Config, optFns ...func(*Config)) (*Downloader, error) {
	if role != "" {
		return nil, errors.New("processpool: this process is a worker of a pool and cannot create a Downloader: a Config.WorkerCommand program must call ServeWorker at the start of main")
	}
	d := &Downloader{}
	config, err := d.configure(cfg, optFns)
	if err != nil {
		return nil, fmt.Errorf("processpool: configuration: %w", err)
	}
	d.defaults = DownloadOptions{
		Verify: config.Verify, Durable: config.Durable,
		MultipartThreshold: config.MultipartThreshold, MultipartChunksize: config.MultipartChunksize,
	}
	d.env.Logger, d.env.Counters = config.Logger, &d.counters
	return d, nil
}

// Start starts the pool and waits until a first worker is ready. The first DownloadFile
// starts it too, without waiting. Start returns ErrShutdown after Shutdown, an error that is
// ErrWorkerLost if no worker can be started, and errors.ErrUnsupported on platforms
// without workers, or without the sandbox that Config.Sandbox requires.
func (d *Downloader) Start() error {
	l, err := d.start()
	if err != nil {
		return fmt.Errorf("processpool: start: %w", err)
	}
	ready := make(chan error, 1)
	if !l.Do(func() { l.Await(ready) }) {
		return fmt.Errorf("processpool: start: %w", ErrShutdown)
	}
	if err := <-ready; err != nil {
		return fmt.Errorf("processpool: start: %w", err)
	}
	return nil
}

// DownloadFile begins to download an object to the file filename and returns its Future
// at once. Every error, including those of the arguments, is the Future's result. When ctx
// ends, the download is canceled. A nil ctx panics. A relative filename is relative to the
// working directory at the time of the call.
//
// The file appears at filename, by a rename, when it is complete and verified. An existing
// file is replaced and its permission bits are kept, unless the options say otherwise. A symbolic link is followed. Anything
// that is not a regular file is refused.
func (d *Downloader) DownloadFile(ctx context.Context, bucket, key, filename string, optFns ...func(*DownloadOptions)) *Future {
	mustContext(ctx)
	f := d.newFuture(bucket, key, filename, optFns)
	if err := f.check(); err != nil {
		f.download.Refuse(OpCheck, err)
		return f
	}
	l, err := d.start()
	if err != nil {
		f.download.Refuse(OpStart, err)
		return f
	}
	f.download.Submit(ctx, l)
	return f
}

// check checks the arguments, and makes the file's name absolute.
func (f *Future) check() (err error) {
	if err = f.meta.validate(); err == nil {
		f.path, err = sink.Absolute(f.meta.Filename)
	}
	return err
}

// mustContext panics in the goroutine of the caller, who can recover, as net/http does.
func mustContext(ctx context.Context) {
	if ctx == nil {
		panic("processpool: nil Context")
	}
}

// Shutdown refuses new downloads, waits for those under way, including all that a Directory
// has yet to begin, and then for every worker process. It may be called more than once, by
// several goroutines, and before Start; every call returns when the pool is gone.
func (d *Downloader) Shutdown() error {
	d.mu.Lock()
	d.mu.state = stateShutdown
	l := d.mu.loop
	d.mu.Unlock()
	if l != nil {
		l.Do(l.Shutdown)
		<-l.Ended()
	}
	return nil
}

// Close cancels every download, also those of a Directory, and then does as Shutdown. Results are
// ErrCanceled unless a download has ended already. Close may be called while Shutdown waits, and
// more than once.
func (d *Downloader) Close() error {
	d.mu.Lock()
	d.mu.state = stateShutdown
	l := d.mu.loop
	d.mu.Unlock()
	if l != nil {
		l.Do(l.Close)
		<-l.Ended()
	}
	return nil
}

// start starts the pool unless it runs, and returns the loop.
func (d *Downloader) start() (*dispatch.Loop, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch d.mu.state {
	case stateShutdown:
		return nil, ErrShutdown
	case stateNew:
		if !ipc.Available {
			return nil, fmt.Errorf("worker processes: %w on this platform", errors.ErrUnsupported)
		}
		if err := d.pool.Fence.Err(); err != nil {
			return nil, err
		}
		d.mu.loop = dispatch.New(dispatch.Options{
			Crew:      pool.New(d.pool),
			Processes: d.pool.Processes,
			Requests:  d.pool.Settings.Slots,
			Logger:    d.env.Logger,
			Counters:  &d.counters,
		})
		d.mu.state = stateRunning
	}
	return d.mu.loop, nil
}

// started returns the loop, or nil if there was never one.
func (d *Downloader) started() *dispatch.Loop {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mu.loop
}

func (d *Downloader) nextID() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.ids++
	return d.mu.ids - 1
}

// validate checks the arguments of one download.
func (m *Meta) validate() error {
	var f faults
	f.add(m.Bucket == "", "no bucket given")
	f.add(!strings.HasPrefix(m.Bucket, "arn:") && strings.Contains(m.Bucket, "/"),
		"the bucket %q contains a slash: give its name alone, without s3:// and key", m.Bucket)
	f.add(m.Key == "", "no key given")
	f.add(m.Filename == "", "no file name given")
	f.add(!utf8.ValidString(m.Key), "the key is not valid UTF-8, as every key in S3 is")
	f.add(isObjectLambda(m.Bucket), "the bucket is an S3 Object Lambda access point, whose answers have no ranges and no ETag: use GetObject")
	f.add(m.ExpectedSize != nil && *m.ExpectedSize < 0, "ExpectedSize is negative")
	f.etag("IfMatch", m.IfMatch)
	f.etag("IfNoneMatch", m.IfNoneMatch)
	f.add(m.IfMatch != "" && m.IfNoneMatch != "", "IfMatch and IfNoneMatch are both set: the download can have one condition")
	f.add(m.Mode&^fs.ModePerm != 0, "Mode is %#o: give permission bits, 0o777 at most", m.Mode)
	f.verify(m.Verify)
	f.add(m.MultipartThreshold < 0 || m.MultipartChunksize < 0, "MultipartThreshold or MultipartChunksize is negative")
	a := m.ExtraArgs
	f.add(a.ChecksumMode != "" && a.ChecksumMode != types.ChecksumModeEnabled, "ExtraArgs.ChecksumMode is neither empty nor ENABLED")
	f.add(a.RequestPayer != "" && a.RequestPayer != types.RequestPayerRequester, "ExtraArgs.RequestPayer is neither empty nor requester")
	f.add((a.SSECustomerKey == "") != (a.SSECustomerAlgorithm == ""), "ExtraArgs sets only one of SSECustomerKey and SSECustomerAlgorithm")
	return f.err()
}

// validate checks the arguments of one DownloadDirectory. An error of a key is that object's
// failure.
func (d *Directory) validate(o DownloadOptions) error {
	var f faults
	f.add(d.dir == "", "no directory given")
	f.add(strings.IndexByte(d.dir, 0) >= 0, "the directory's name contains a NUL")
	f.add(!utf8.ValidString(d.prefix), "the prefix is not valid UTF-8, as every key in S3 is")
	f.add(o.ExpectedSize != nil, "Options set ExpectedSize, which belongs to a single object")
	f.add(o.IfMatch != "" || o.IfNoneMatch != "", "Options set IfMatch or IfNoneMatch, which belong to a single object")
	f.add(o.ExtraArgs.VersionId != "", "Options set ExtraArgs.VersionId, which belongs to a single object")
	o.ExpectedSize = nil
	common := Meta{Bucket: d.bucket, Key: "any", Filename: "any", DownloadOptions: o}
	return errors.Join(f.err(), common.validate())
}

// isObjectLambda reports whether the bucket is arn:aws:s3-object-lambda:..., or the alias form
// ...--ol-s3 (https://docs.aws.amazon.com/AmazonS3/latest/userguide/transforming-objects.html).
func isObjectLambda(bucket string) bool {
	parts := strings.SplitN(bucket, ":", 4)
	return len(parts) == 4 && parts[0] == "arn" && parts[2] == "s3-object-lambda" || strings.HasSuffix(bucket, "--ol-s3")
}
