package worker

import (
	"context"
	"slices"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// work is a job that the pool has given, with its file.
type work struct {
	job    *ipc.Job
	file   *splitFile
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// take begins a job, or has it wait for a slot.
//
// A goroutine runs one job after the other: a request of the SDK needs a stack of 16 KiB and more, and
// to grow that of a new goroutine takes a seventh of a worker's processor time with small objects.
func (s *server) take(job *ipc.Job, file *splitFile) {
	w := &work{job: job, file: file}
	w.ctx, w.cancel = context.WithCancelCause(context.Background())
	s.mu.Lock()
	waits := len(s.mu.running) >= s.slots
	if waits {
		s.mu.waiting = append(s.mu.waiting, w)
	} else {
		s.mu.running[job.ID] = w
	}
	s.mu.Unlock()
	if waits {
		return
	}
	select {
	case s.next <- w:
	default:
		s.working.Go(func() { s.work(w) })
	}
}

// work runs a job and those that wait, and then what comes.
func (s *server) work(w *work) {
	for more := true; more; w, more = <-s.next {
		for w != nil {
			r := &requests{server: s, id: w.job.ID}
			result := s.run(w.ctx, w.job, w.file, r)
			w.cancel(nil)
			s.finish(result, r)
			w = s.following(w)
		}
	}
}

// following ends a job whose result was sent, and begins the one that has waited longest; nil: none
// has.
func (s *server) following(ended *work) (w *work) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.mu.running, ended.job.ID)
	if len(s.mu.waiting) == 0 {
		return nil
	}
	w = s.mu.waiting[0]
	s.mu.waiting = slices.Delete(s.mu.waiting, 0, 1)
	s.mu.running[w.job.ID] = w
	return w
}

// cancel ends a job early: one that waits at once. It does nothing if the job is over, or is to end
// only where it waits and does not.
func (s *server) cancel(m *ipc.Cancel) {
	s.mu.Lock()
	at := slices.IndexFunc(s.mu.waiting, func(w *work) bool { return w.job.ID == m.ID })
	if at < 0 {
		if w := s.mu.running[m.ID]; w != nil && !m.Waiting {
			w.cancel(failure.ErrCanceled)
		}
		s.mu.Unlock()
		return
	}
	w := s.mu.waiting[at]
	s.mu.waiting = slices.Delete(s.mu.waiting, at, at+1)
	s.mu.Unlock()
	w.drop()
	if m.Waiting {
		s.send(&ipc.Result{ID: m.ID, Waited: true})
	} else {
		s.send(&ipc.Result{ID: m.ID, Err: failure.Pack(failure.ErrCanceled)})
	}
}

// drop frees what a job has that will not run.
func (w *work) drop() {
	w.cancel(nil)
	w.file.close()
}

// stop cancels all jobs. At a Stop the transfers of all jobs have ended, and waiting for the jobs
// would delay the pool's end. There must be no take after it.
func (s *server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.mu.running {
		w.cancel(failure.ErrCanceled)
	}
	for _, w := range s.mu.waiting {
		w.drop()
	}
	s.mu.waiting = nil
	close(s.next)
}
