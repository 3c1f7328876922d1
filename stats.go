package processpool

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

	Requests Requests
	Retries  Retries

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
		Workers:        c.Workers,
		WorkerRestarts: c.Restarts,
		Sandbox:        d.pool.Fence.String(),
	}
}
