package pool

import (
	"errors"
	"os"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// write is the writer: it sends what is in the outbox, and pings, until the socket has ended. It kills
// a worker that does not end a job which was canceled. When the pool is stopped it sends Stop, and
// kills the worker after StopTimeout.
func (w *process) write() {
	beat := time.NewTicker(w.pool.options.Heartbeat)
	defer beat.Stop()
	look := time.NewTicker(w.pool.options.CancelTimeout / looks)
	defer look.Stop()
	stopped, overdue, missed := w.pool.stopped.Done(), (<-chan time.Time)(nil), 0
	for {
		select {
		case p := <-w.outbox:
			w.send(p)
		case <-w.rate.news:
			w.sendRate()
		case <-beat.C:
			missed = w.beat(missed)
		case <-look.C:
			w.look()
		case <-stopped:
			stopped = nil
			w.drain() // a job, or its Cancel, must not follow the Stop
			w.send(parcel{&ipc.Stop{}, nil})
			timer := time.NewTimer(w.pool.options.StopTimeout)
			defer timer.Stop()
			overdue = timer.C
		case <-overdue:
			w.kill()
			overdue = nil
		case <-w.gone:
			return
		}
	}
}

// drain sends what is in the outbox. Only the writer may call it.
func (w *process) drain() {
	for {
		select {
		case p := <-w.outbox:
			w.send(p)
		default:
			return
		}
	}
}

// send sends one message. A job that cannot be sent has a Result with the reason; credentials that
// cannot be sent are replaced by the reason. If the socket fails, send kills the worker, so that
// the seat's goroutine sees the end. Only the writer may call it.
func (w *process) send(p parcel) {
	if _, isJob := p.message.(*ipc.Job); isJob {
		w.sendRate() // it applies to the job
	}
	w.conn.SetWriteDeadline(time.Now().Add(w.patience()))
	err := w.transmit(p.message, p.file)
	var closed *ipc.FileError
	var unsendable *ipc.UnsendableError
	job, isJob := p.message.(*ipc.Job)
	_, isDirect := p.message.(*ipc.Direct)
	_, isConnect := p.message.(*ipc.Connect)
	c, isCredentials := p.message.(*ipc.Credentials)
	switch {
	case err == nil && isJob:
		w.last = job.ID
	case err == nil:
		w.last = 0
	case errors.As(err, &closed) && isDirect:
		// The job that follows has the same fate, or does without.
	case errors.As(err, &closed) && isJob:
		// The transfer ended and closed its file before the job was sent.
		w.refuse(job, failure.ErrCanceled)
	case errors.As(err, &unsendable) && isJob:
		w.refuse(job, err)
	case errors.As(err, &unsendable) && isConnect:
		// A Job for that bucket has the same fate.
	case errors.As(err, &unsendable) && isCredentials && c.Err == "":
		w.send(parcel{&ipc.Credentials{Err: failure.Cut(err.Error(), failure.MaxText)}, nil})
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.silent.Store(true)
		w.kill()
	default:
		if isJob {
			w.mu.Lock()
			w.mu.unread = append(w.mu.unread, job.ID)
			w.mu.Unlock()
		}
		w.kill()
	}
}

// refuse ends a job that was not sent, with the reason. Only the writer may call it.
func (w *process) refuse(job *ipc.Job, reason error) {
	if job.Get != nil && job.Get.Align > 0 {
		w.send(parcel{&ipc.Cancel{ID: job.ID}, nil}) // the worker has its Direct
	}
	w.jobs.drop(job.ID)
	w.pool.events <- Result{w, &ipc.Result{ID: job.ID, Err: failure.Pack(reason)}}
}
