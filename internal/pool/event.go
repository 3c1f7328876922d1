package pool

import (
	"os"

	"github.com/s3processpool/processpool/internal/ipc"
)

// Worker is a worker process, for the pool's owner.
type Worker interface {
	// PID returns the process id.
	PID() int
	// Seat returns the number of the worker's seat, from 0.
	Seat() int
	// Job sends a job, and file with a job that carries one. It does not block. The caller keeps
	// file; if it closes file before the job is sent, the job's Result has failure.ErrCanceled. A
	// job that is too large to be sent has a Result with that error. Only the owner may call it,
	// between the worker's Up and its Down, with an ID that it has not used before.
	Job(job *ipc.Job, file *os.File)
	// Direct sends a second descriptor of the file of the job that is sent next. It is as Job with
	// regard to file, which the job does without if it cannot be sent.
	Direct(d *ipc.Direct, file *os.File)
	// RateLimit limits how many bytes a second the worker reads of the bodies of its Gets; 0 = no
	// limit, as at its start. It applies to the jobs that are sent after it, too. It does not block.
	// Only the owner may call it, between the worker's Up and its Down.
	RateLimit(bytesPerSecond int64)
	// Connect has the worker open the connections for its first ranges of a bucket. It does not block.
	// Only the owner may call it, between the worker's Up and its Down.
	Connect(bucket string)
	// Cancel asks the worker to end a job early. It does not block. Only the owner may call it,
	// between the worker's Up and its Down.
	Cancel(id uint64)
	// Recall asks the worker to give a job back that it has not begun: its Result then has Waited. A job
	// that has begun goes on. It does not block. Only the owner may call it, between the worker's Up
	// and its Down.
	Recall(id uint64)
	// Unread returns, after the worker's Down, the jobs that the worker has never read: they cannot
	// be the reason of its end.
	Unread() []uint64
}

// Event is an Up, Down or Broken, or a worker's message: a Found, Progress, Retry, Attempt or Result.
type Event any

type (
	// Up: a worker is ready for jobs.
	Up struct{ Worker Worker }
	// Down: a worker is gone and its process is reaped. The jobs without a Result have not
	// finished.
	Down struct {
		Worker Worker
		Err    error // wraps failure.ErrWorkerLost
	}
	// Broken: no worker could be started in any seat. The pool waits for Revive.
	Broken struct{ Err error }

	// Found is a worker's ipc.Found.
	Found struct {
		Worker Worker
		*ipc.Found
	}
	// Progress is a worker's ipc.Progress.
	Progress struct {
		Worker Worker
		*ipc.Progress
	}
	// Retry is a worker's ipc.Retry.
	Retry struct {
		Worker Worker
		*ipc.Retry
	}
	// Attempt is a worker's ipc.Attempt.
	Attempt struct {
		Worker Worker
		*ipc.Attempt
	}
	// Result is a worker's ipc.Result, of a listing with the whole page.
	Result struct {
		Worker Worker
		*ipc.Result
	}
)

// jobOf returns the ID of the job that a worker's message is about. ok is false if it is about none.
func jobOf(m ipc.Message) (id uint64, ok bool) {
	switch m := m.(type) {
	case *ipc.Found:
		return m.ID, true
	case *ipc.Progress:
		return m.ID, true
	case *ipc.Retry:
		return m.ID, true
	case *ipc.Attempt:
		return m.ID, true
	case *ipc.Listed:
		return m.ID, true
	case *ipc.Result:
		return m.ID, true
	}
	return 0, false
}

// EventOf returns the event of a message that Jobs.Hear has returned.
func EventOf(w Worker, m ipc.Message) Event {
	switch m := m.(type) {
	case *ipc.Found:
		return Found{w, m}
	case *ipc.Progress:
		return Progress{w, m}
	case *ipc.Retry:
		return Retry{w, m}
	case *ipc.Attempt:
		return Attempt{w, m}
	case *ipc.Result:
		return Result{w, m}
	}
	return nil
}
