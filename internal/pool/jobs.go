package pool

import (
	"fmt"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// maxPage bounds a page of a listing, as Entry.FrameSize counts it: 160,000 keys of 1024 bytes, the
// longest that S3 allows, where S3 sends 1000 keys. A server that sends all keys in one page should
// not use up the application's memory.
const maxPage = 256 << 20

// pending is a job that the worker has not answered. Its page is that of a listing.
type pending struct {
	list    bool
	entries []ipc.Entry // received ahead of the Result
	size    int         // of all entries received, also of those that were dropped
}

// expect notes a job that is given to the worker.
func (w *process) expect(job *ipc.Job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.given++
	w.mu.jobs[job.ID] = &pending{list: job.List != nil}
}

// busy reports whether the worker has jobs that it has not answered.
func (w *process) busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.mu.jobs) > 0
}

// listed keeps the entries of a page until its Result comes. Of a page that is too large it keeps
// nothing.
func (w *process) listed(m *ipc.Listed) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.mu.jobs[m.ID]
	if p == nil || !p.list {
		return fmt.Errorf("it sent entries of job %d, which is no listing that it has", m.ID)
	}
	p.add(m.Entries)
	return nil
}

func (p *pending) add(entries []ipc.Entry) {
	for i := range entries {
		p.size += entries[i].FrameSize()
	}
	if p.size > maxPage {
		p.entries = nil
		return
	}
	p.entries = append(p.entries, entries...)
}

// result ends a job, and returns its Result as the owner sees it: with the whole page.
func (w *process) result(m *ipc.Result) (*ipc.Result, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.mu.jobs[m.ID]
	if p == nil {
		return nil, fmt.Errorf("it sent a Result of job %d, which it does not have", m.ID)
	}
	delete(w.mu.jobs, m.ID)
	w.mu.done++
	if m.Err == nil && m.List != nil {
		p.add(m.List.Entries)
		if p.size > maxPage {
			err := fmt.Errorf("a page of the listing is too large: its %d bytes are over the limit of %d", p.size, maxPage)
			return &ipc.Result{ID: m.ID, Request: m.Request, Err: failure.Pack(err)}, nil
		}
		if len(p.entries) > len(m.List.Entries) {
			m.List.Entries = p.entries
		}
	}
	return m, nil
}

// refuse ends a job that was not sent, with the reason. Only the writer may call it.
func (w *process) refuse(job *ipc.Job, reason error) {
	w.mu.Lock()
	delete(w.mu.jobs, job.ID)
	w.mu.given--
	w.mu.Unlock()
	w.pool.events <- Result{w, &ipc.Result{ID: job.ID, Err: failure.Pack(reason)}}
}
