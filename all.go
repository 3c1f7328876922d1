package processpool

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"

	"github.com/s3processpool/processpool/internal/transfer"
)

// Request is one download of DownloadAll.
type Request struct {
	Bucket, Key, Filename string
	Options               []func(*DownloadOptions) // applied after DownloadAll's own
}

// DownloadAll downloads a list of any length in bounded memory. It yields each Future when it has
// ended, in the order in which they end. At most a fixed number of requests is taken ahead of those
// that have ended: twice as many as the pool makes requests at a time, and at least 100.
//
// requests runs in a goroutine of its own while the loop does, so that a sequence that blocks does not
// hold up what has ended. Leaving the loop early, or the end of ctx, cancels what is under way; the
// loop then ends when all of it has ended, and requests has yielded once more or returned. Nothing
// of it runs after the loop. A panic of requests is one of the loop. A nil ctx panics. Relative file
// names are relative to the working directory at the time at which requests yields them.
//
// Shutdown waits for the loop. The returned sequence may be used more than once if requests may.
func (d *Downloader) DownloadAll(ctx context.Context, requests iter.Seq[Request], optFns ...func(*DownloadOptions)) iter.Seq[*Future] {
	mustContext(ctx)
	return func(yield func(*Future) bool) {
		ctx, cancel := context.WithCancel(ctx)
		l := &list{downloader: d, optFns: optFns, requests: make(chan Request), stop: make(chan struct{}), panicked: make(chan any, 1)}
		defer func() {
			cancel()
			l.end()
		}()
		loop, err := d.start()
		if err == nil {
			if l.window = transfer.NewWindow(ctx, loop, cancel); l.window == nil {
				err = ErrShutdown
			}
		}
		go l.feed(requests)
		l.run(ctx, err, yield)
	}
}

// list is a DownloadAll under way. The goroutine of the loop owns it; feed has one of its own.
type list struct {
	downloader *Downloader
	optFns     []func(*DownloadOptions)
	window     *transfer.Window // nil: nothing can be downloaded
	requests   chan Request     // closed when there are no more
	stop       chan struct{}    // closed when no more are wanted
	panicked   chan any         // holds the panic of the caller's sequence
}

// feed passes the caller's requests on.
func (l *list) feed(requests iter.Seq[Request]) {
	defer close(l.requests)
	defer func() {
		if p := recover(); p != nil {
			l.panicked <- p
		}
	}()
	for r := range requests {
		select {
		case <-l.stop:
			return
		default:
		}
		select {
		case l.requests <- r:
		case <-l.stop:
			return
		}
	}
}

// run yields what has ended until nothing is left. refused is why nothing can be downloaded.
func (l *list) run(ctx context.Context, refused error, yield func(*Future) bool) {
	for requests := l.requests; ; {
		if ctx.Err() != nil {
			requests = nil
		}
		if requests == nil && l.empty() {
			return
		}
		var ends <-chan *transfer.Download
		next := requests
		if l.window != nil {
			if ends = l.window.Ends(); l.window.Full() {
				next = nil
			}
		}
		var canceled <-chan struct{}
		if requests != nil {
			canceled = ctx.Done()
		}
		select {
		case r, more := <-next:
			if !more {
				if requests = nil; len(l.panicked) > 0 {
					return
				}
				continue
			}
			if f := l.begin(r, refused); f != nil && !yield(f) {
				return
			}
		case d := <-ends:
			l.window.Landed()
			if !yield((*Future)(d.Owner().(*futureOwner))) {
				return
			}
		case <-canceled:
		}
	}
}

func (l *list) empty() bool { return l.window == nil || l.window.Empty() }

// begin begins a download, or returns its Future if it has ended at once.
func (l *list) begin(r Request, refused error) *Future {
	f := l.downloader.newFuture(r.Bucket, r.Key, r.Filename, append(slices.Clip(l.optFns), r.Options...))
	switch err := f.check(); {
	case err != nil:
		f.download.Refuse(OpCheck, err)
	case refused != nil:
		f.download.Refuse(OpStart, refused)
	default:
		l.window.Submit(&f.download)
		return nil
	}
	return f
}

// end waits for what is under way, and for feed.
func (l *list) end() {
	close(l.stop)
	for !l.empty() {
		<-l.window.Ends()
		l.window.Landed()
	}
	for range l.requests {
	}
	if l.window != nil {
		l.window.Close()
	}
	select {
	case p := <-l.panicked:
		panic(p)
	default:
	}
}

// Shard returns a filter for one of count machines or processes that share a list or a prefix: it
// reports whether a key belongs to the part index, from 0 to count-1. Every key belongs to one part,
// whatever else is listed. An index or a count that cannot be is an error: they often come from the
// environment of a job. The filter may be called concurrently. It takes the whole key, as for
// DirectoryOptions.Filter, or before a Request is yielded to DownloadAll.
//
// The part is the first 8 bytes of the SHA-256 of the key, as a big-endian number, modulo count. This
// does not change from version to version, as the machines of one job may have different ones, and
// other programs may compute the same:
//
//	key                      of 2  of 10  of 1000
//	a                           0      0      250
//	photos/2026/a.jpg           0      6      686
//	data/part-00000.parquet     1      7      367
//	ü/日                         1      7      397
func Shard(index, count int) (mine func(key string) bool, err error) {
	if count < 1 || index < 0 || index >= count {
		return nil, fmt.Errorf("processpool: there is no shard %d of %d: the count is 1 or more, and the index from 0 to count-1", index, count)
	}
	return func(key string) bool {
		sum := sha256.Sum256([]byte(key))
		return binary.BigEndian.Uint64(sum[:8])%uint64(count) == uint64(index)
	}, nil
}
