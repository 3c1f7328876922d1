package processpool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/dispatch"
	"github.com/s3processpool/processpool/internal/environ"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/pool"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/transfer"
)

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
	told     func(dispatch.Attempt) // OnAttempt; nil: nobody is told
	rate     atomic.Int64           // MaxBytesPerSecond
	adaptive bool

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
	return newDownloader(func(fns []func(*s3.Options), caGiven bool) settings.Extracted {
		return settings.Extract(cfg, fns, caGiven)
	}, environ.Of(cfg), optFns)
}

// Start starts the pool with all its workers, and waits until a first one is ready. The first
// DownloadFile starts the pool too, without waiting, and with as many workers as there is work for. Start returns ErrShutdown after Shutdown, an error that is
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
	d.submit(ctx, f)
	return f
}

// submit has the loop do the download.
func (d *Downloader) submit(ctx context.Context, f *Future) {
	l, err := d.start()
	if err != nil {
		f.download.Refuse(OpStart, err)
		return
	}
	f.download.Submit(ctx, l)
}

// DownloadTo begins to download an object, or DownloadOptions.Range of it, to an open file, and
// returns its Future at once. The workers write to the file from offset 0 on, whatever its own offset
// is. It may be a regular file, one without a name such as a memfd (memfd_create(2)) or an O_TMPFILE,
// or a block device. A regular file is cut to the size. The descriptor is duplicated in the call: f may
// be closed at once, and one more descriptor is open until the Future ends.
//
// There is no temporary file and no rename: after an error the file's content is undefined, but no
// worker writes to it any more once the Future has ended. Resume and NoClobber are refused, as are
// files that are open for reading only or for appending, and pipes, sockets, terminals and
// directories. Meta().Filename is f.Name(). Otherwise DownloadTo is as DownloadFile.
func (d *Downloader) DownloadTo(ctx context.Context, bucket, key string, f *os.File, optFns ...func(*DownloadOptions)) *Future {
	mustContext(ctx)
	name := ""
	if f != nil {
		name = f.Name()
	}
	future := d.newFuture(bucket, key, name, optFns)
	if err := future.take(f); err != nil {
		future.download.Refuse(OpCheck, err)
		return future
	}
	d.submit(ctx, future)
	return future
}

// take checks the arguments of DownloadTo, and duplicates the descriptor.
func (f *Future) take(file *os.File) (err error) {
	var also faults
	also.add(file == nil, "no file given")
	also.add(f.meta.Resume, "Resume is set, but an open file cannot be resumed")
	also.add(f.meta.NoClobber, "NoClobber is set, but an open file has no name that could be taken")
	if err := errors.Join(also.err(), f.meta.validate(false)); err != nil {
		return err
	}
	if f.file, err = sink.Duplicate(file); err == nil {
		f.download.Into(f.file)
	}
	return err
}

// check checks the arguments, and makes the file's name absolute.
func (f *Future) check() (err error) {
	if err = f.meta.validate(true); err == nil {
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

// SetMaxBytesPerSecond changes Config.MaxBytesPerSecond, also for what is under way; 0 or less: no
// limit. It may be called at any time, by many goroutines at once.
func (d *Downloader) SetMaxBytesPerSecond(n int64) {
	d.rate.Store(max(n, 0))
	if l := d.started(); l != nil {
		l.Do(func() { l.SetMaxBytesPerSecond(d.rate.Load()) })
	}
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
			OnAttempt: d.told,

			MaxBytesPerSecond: d.rate.Load(),
			Adaptive:          d.adaptive,
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
