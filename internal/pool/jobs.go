package pool

import (
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// maxPage bounds a page of a listing, as Entry.FrameSize counts it: 160,000 keys of 1024 bytes, the
// longest that S3 allows, where S3 sends 1000 keys. A server that sends all keys in one page should
// not use up the application's memory.
const maxPage = 256 << 20

// endless is more than a worker sends of any page: what it reads of a page is bounded, too, and no
// byte of it becomes more than six. What is over maxPage is not kept.
const endless = 8 * maxPage

// Jobs are the jobs that a worker has, and what may be said of them. Its methods may be called
// concurrently. The zero Jobs are none.
type Jobs struct {
	Attempts bool // the worker is to report them

	hurry int // see settings.Settings

	mu struct {
		sync.Mutex
		pending map[uint64]*pending // without a Result
		given   int                 // with and without one
		done    int                 // with one
	}
}

// pending is a job that the worker has not answered. Its page is that of a listing.
type pending struct {
	job      *ipc.Job
	given    time.Time
	words    int        // messages about it
	found    *ipc.Found // nil = the worker has not told of the object
	written  int64      // bytes, as last reported
	canceled bool
	recalled bool        // it is to be given back if it waits
	looks    int         // that have found it canceled; see late
	entries  []ipc.Entry // received ahead of the Result
	size     int64       // of all entries received, also of those that were dropped
}

// Give notes a job that is given to the worker.
func (j *Jobs) Give(job *ipc.Job) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.mu.pending == nil {
		j.mu.pending = map[uint64]*pending{}
	}
	j.mu.given++
	j.mu.pending[job.ID] = &pending{job: job, given: time.Now()}
}

// Cancel notes that the worker is asked to end a job early.
func (j *Jobs) Cancel(id uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if p := j.mu.pending[id]; p != nil {
		p.canceled = true
	}
}

// Recall notes that the worker is asked to give a job back if it waits.
func (j *Jobs) Recall(id uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if p := j.mu.pending[id]; p != nil {
		p.recalled = true
	}
}

// drop forgets a job that was not sent.
func (j *Jobs) drop(id uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.mu.pending, id)
	j.mu.given--
}

// busy reports whether the worker has jobs that it has not answered.
func (j *Jobs) busy() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.mu.pending) > 0
}

// count returns the number of jobs that were given.
func (j *Jobs) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.given
}

// finished reports whether the worker has answered a job.
func (j *Jobs) finished() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.done > 0
}

// Hear takes a worker's message about a job, and returns what the pool's owner gets of it: of a
// listing one Result with the whole page, and nil before that. The error tells what is wrong with
// the message: then nothing may act on it.
func (j *Jobs) Hear(id uint64, m ipc.Message) (ipc.Message, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := j.mu.pending[id]
	if p == nil {
		return nil, fmt.Errorf("it sent a %s of job %d, which it does not have", nameOf(m), id)
	}
	if _, is := m.(*ipc.Attempt); is && !j.Attempts {
		return nil, fmt.Errorf("it sent an Attempt of job %d, and nobody asked for them", id)
	}
	if err := p.check(m); err != nil {
		return nil, fmt.Errorf("it sent %w, in a %s of job %d", err, nameOf(m), id)
	}
	switch m := m.(type) {
	case *ipc.Listed:
		if p.add(m.Entries); p.size > endless {
			return nil, fmt.Errorf("it sent a page without end, of job %d", id)
		}
		return nil, nil
	case *ipc.Result:
		delete(j.mu.pending, id)
		j.mu.done++
		return p.end(m), nil
	}
	if p.words++; p.words > wordsIn(time.Since(p.given)*time.Duration(max(1, j.hurry))) {
		return nil, fmt.Errorf("it sent %d messages of job %d in %v", p.words, id, time.Since(p.given).Round(time.Millisecond))
	}
	return m, nil
}

// wordsIn returns how many messages about a job a worker may send in a time: far more than there are
// attempts and reports of progress in it, and few enough to do no harm.
func wordsIn(d time.Duration) int { return 1000 + int(d/time.Millisecond) }

// add keeps entries of a page. Of a page that is too large it keeps nothing.
func (p *pending) add(entries []ipc.Entry) {
	p.size += 100 // for the message
	for i := range entries {
		p.size += int64(entries[i].FrameSize())
	}
	if p.size > maxPage {
		p.entries = nil
		return
	}
	p.entries = append(p.entries, entries...)
}

// end returns a Result as the owner sees it: with the whole page.
func (p *pending) end(m *ipc.Result) *ipc.Result {
	if m.Err != nil || m.List == nil {
		return m
	}
	p.add(m.List.Entries)
	if p.size > maxPage {
		err := fmt.Errorf("a page of the listing is too large: its %d bytes are over the limit of %d", p.size, maxPage)
		return &ipc.Result{ID: m.ID, Request: m.Request, Err: failure.Pack(err)}
	}
	if len(p.entries) > len(m.List.Entries) {
		m.List.Entries = p.entries
	}
	return m
}

// looks is how many times late must find a job canceled before it is late.
const looks = 4

// late looks at the jobs that the worker was asked to end. It reports whether one of them was there
// at the last few looks already. It counts looks and not time, as beat does.
func (j *Jobs) late() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, p := range j.mu.pending {
		if !p.canceled {
			continue
		}
		if p.looks++; p.looks > looks {
			return true
		}
	}
	return false
}

func nameOf(m ipc.Message) string { return reflect.TypeOf(m).Elem().Name() }
