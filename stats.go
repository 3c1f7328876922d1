package processpool

import (
	"time"

	"github.com/s3processpool/processpool/internal/dispatch"
)

// Stats are the numbers of a Downloader since NewDownloader. Each number is right, but
// not all are of the same instant.
type Stats struct {
	// Downloads by state. Each that was ever asked for is in one, including those that
	// were refused at once and those of a Directory.
	Queued   int64 // waiting
	Active   int64
	Done     int64
	Failed   int64
	Canceled int64

	// BytesWritten counts the bytes in temporary files, as workers report them. Bytes
	// that are fetched again count again.
	BytesWritten int64
	// BytesDirect counts those of them that went past the page cache, with DirectIO.
	BytesDirect int64

	Requests Requests
	Retries  Retries

	// RequestsLimit is how many requests may be in flight at present, where S3 has asked for a slower
	// pace, or Adaptive has found fewer to be enough; 0: as many as the workers have room for.
	RequestsLimit int64

	Workers        int64 // processes that are ready
	WorkerRestarts int64 // processes that have replaced a lost one

	// Sandbox names what fences the workers in, as in "landlock 7, seccomp". It is "none" if
	// the system has nothing, and empty with SandboxOff and for a WorkerCommand that gets no
	// fence.
	Sandbox string
}

// Requests counts the attempts at each operation that workers were asked to make. The
// further ones by which a HeadObject finds an object's parts are not counted.
type Requests struct {
	HeadObject          int64
	GetObject           int64
	GetObjectAttributes int64
	ListObjectsV2       int64
}

// Retries counts the attempts that failed and were made again, by what they failed of.
type Retries struct {
	Throttled  int64 // S3 asked for a slower pace
	Stalled    int64 // nothing came for Config.StallTimeout
	Connection int64 // the connection could not be made, or broke off
	Unexpected int64 // the answer did not fit the request
	Other      int64 // other errors of S3, such as InternalError and ExpiredToken
	Slow       int64 // no failure: a range was taken back at a download's end from a slow connection
}

// Stats returns the current numbers. It does not block, and may be called at any time,
// also before Start and after Shutdown.
func (d *Downloader) Stats() Stats {
	c := d.counters.Counts()
	return Stats{
		Queued:       c.Queued,
		Active:       c.Active,
		Done:         c.Done,
		Failed:       c.Failed,
		Canceled:     c.Canceled,
		BytesWritten: c.Bytes,
		BytesDirect:  c.Direct,
		Requests: Requests{
			HeadObject:          c.Heads,
			GetObject:           c.Gets,
			GetObjectAttributes: c.Attributes,
			ListObjectsV2:       c.Lists,
		},
		Retries: Retries{
			Throttled:  c.Throttled,
			Stalled:    c.Stalled,
			Connection: c.Connection,
			Unexpected: c.Unexpected,
			Other:      c.Other,
			Slow:       c.Slow,
		},
		RequestsLimit:  c.Limit,
		Workers:        c.Workers,
		WorkerRestarts: c.Restarts,
		Sandbox:        d.pool.Fence.String(),
	}
}

// Attempt is one request to S3 that has ended: one HTTP request, so that a range that is retried has
// several. What S3 says is as it came but for characters that a terminal would act on, which are
// escaped, and for what is too long, which is cut.
type Attempt struct {
	TransferID  int64  // as Meta has it; -1 for the listing of a DownloadDirectory
	Operation   string // HeadObject, GetObject, GetObjectAttributes, ListObjectsV2
	Bucket, Key string // Key is the prefix of a listing

	// Offset and Length are the bytes asked for; 0 for requests that ask for none. Without a HeadObject
	// the first GetObject asks for the whole object: then Length is the size that the answer has, or
	// -1 if there was none.
	Offset, Length int64
	// Number counts the requests for a range, or for another answer, from 1. It goes on when a lost
	// worker's range is handed to another, and for each piece of a range that is shared out.
	Number int

	// Start and End are when the request was sent and when its body was read, and written to the file,
	// by the clock of this machine.
	Start, End time.Time

	Bytes             int64  // of the body, as far as it was read
	StatusCode        int    // of HTTP; 0: no answer
	RequestID, HostID string // by which AWS finds the request; empty if S3 sent none
	RemoteAddr        string // host and port, of a proxy where there is one; empty: no connection was made
	Worker            int    // pid of the worker

	// Err is why the request failed, or what was wrong with its answer; nil: it succeeded. errors.Is
	// and errors.As find in it what they find in a Future's error. A request whose worker was lost has
	// ErrWorkerLost, and one that was under way when its download was canceled or failed has that
	// reason; both have no answer, and their Bytes are as last reported.
	Err error
}

// told makes an OnAttempt of the loop's of the caller's.
func told(call func(Attempt)) func(dispatch.Attempt) {
	if call == nil {
		return nil
	}
	return func(a dispatch.Attempt) {
		public := Attempt{
			TransferID: a.Transfer, Operation: string(a.Op), Bucket: a.Bucket, Key: a.Key,
			Offset: a.Offset, Length: a.Length, Number: a.Number, Start: a.Start, End: a.End,
			Bytes: a.Bytes, StatusCode: a.Status, RequestID: plain(a.RequestID), HostID: plain(a.HostID),
			RemoteAddr: plain(a.RemoteAddr), Worker: a.Worker,
		}
		if a.Err != nil {
			public.Err = &attemptError{a.Err}
		}
		call(public)
	}
}

// attemptError is the error of an Attempt, whose text acts on no terminal.
type attemptError struct{ err error }

func (e *attemptError) Error() string { return plain(e.err.Error()) }
func (e *attemptError) Unwrap() error { return e.err }
