package main

import (
	"sync"
	"sync/atomic"

	"github.com/s3processpool/processpool"
)

// job is the download of one object.
type job struct {
	source          // what, and to which file
	size      int64 // -1: not known before
	etag      string
	versionID string
	options   []func(*processpool.DownloadOptions)

	told   atomic.Pointer[processpool.Progress] // the last OnProgress; nil: none yet
	read   func() processpool.Progress          // nil: told has it
	future *processpool.Future                  // set when it has ended, by whoever then reports it
}

// progress returns how far the download is.
func (j *job) progress() processpool.Progress {
	if j.read != nil {
		return j.read()
	}
	if p := j.told.Load(); p != nil {
		return *p
	}
	return processpool.Progress{BytesTotal: j.size}
}

// request returns the job as DownloadAll takes it. begun is called when it does.
func (j *job) request(begun func(*job)) processpool.Request {
	r := processpool.Request{Bucket: j.bucket, Key: j.key, Filename: j.filename, Options: j.options}
	r.Options = append(r.Options, func(o *processpool.DownloadOptions) {
		o.UserContext = j
		o.OnProgress = func(p processpool.Progress) { j.told.Store(&p) }
		if j.size >= 0 {
			o.ExpectedSize = &j.size
		}
		if j.etag != "" && o.IfNoneMatch == "" {
			o.IfMatch = j.etag
		}
		o.ExtraArgs.VersionId = j.versionID
		begun(j)
	})
	return r
}

// books adds up the progress of jobs.
type books struct {
	mu struct {
		sync.Mutex
		active map[*job]bool
		ended  int64 // bytes of the jobs that have ended
	}
}

func (b *books) begin(j *job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.active == nil {
		b.mu.active = map[*job]bool{}
	}
	b.mu.active[j] = true
}

func (b *books) end(j *job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.mu.active, j)
	b.mu.ended += j.progress().BytesDone
}

// read returns the bytes that are there, and of those that are known to come.
func (b *books) read() (done, total int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	done, total = b.mu.ended, b.mu.ended
	for j := range b.mu.active {
		p := j.progress()
		done += p.BytesDone
		total += max(0, p.BytesTotal)
	}
	return done, total
}
