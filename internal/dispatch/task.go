package dispatch

import (
	"log/slog"
	"os"
	"time"

	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/pool"
)

// Task is work that is under way. The loop's goroutine calls all methods, so that they must not
// block.
type Task interface {
	// Next returns the next job, or nil if there is none now. The loop calls it when a slot is
	// free, and the job takes that slot.
	Next() *Job
	// Ready returns how many jobs Next would return now, or about as many.
	Ready() int
	// Brief reports whether the job that Next would return now is likely to take no more than some
	// milliseconds of work.
	Brief() bool
	// Soon reports whether there will be a job soon although there is none now: the loop then keeps
	// a slot free for it rather than begin another task.
	Soon() bool
	// Spare offers slots that nobody has a job for. The task returns how many it will take, and
	// whether to offer them again some time later.
	Spare(free int, now time.Time) (taken int, again bool)

	// Found, Progress, Retry and Result bring a worker's words about a job. Result is the last.
	Found(*Job, *ipc.Found)
	Progress(*Job, *ipc.Progress)
	Retry(*Job, *ipc.Retry)
	Result(*Job, *ipc.Result)
	// Lost gives a job back whose worker is gone. It takes the place of Result.
	Lost(*Job, error)

	// Cancel ends the task with cause, unless it is too late.
	Cancel(cause error)
	// Abort ends the task with the error of the step op, because no worker can be started.
	Abort(op string, err error)
	// Logger returns a logger whose records name the task.
	Logger() *slog.Logger
}

// Entry is a task that has not begun. The loop's goroutine calls all methods.
type Entry interface {
	// Begin starts the task, which tells the loop of its end with Loop.End.
	Begin(*Loop) Task
	// Refuse ends the entry, which has not begun, with the error of the step op.
	Refuse(op string, err error)
	// Ticket returns the entry's place in the loop, always the same.
	Ticket() *Ticket
}

// Ticket is an entry's place in the loop. The zero Ticket is one that was not submitted.
type Ticket struct {
	task    Task            // while it is active
	watched <-chan struct{} // Done of its context; nil: it never ends
	queued  bool            // it has not begun
	ended   bool
}

// Crew is the pool of workers, as the loop drives it. See [pool.Pool].
type Crew interface {
	Start()
	// Want has the crew consist of n workers, or more if more were wanted before.
	Want(n int)
	Stop()
	Revive()
	Events() <-chan pool.Event
}

// Job is one operation in a worker's hands. Its task reads the fields, and changes none but those
// of the first group, before it hands the job out.
type Job struct {
	Op      ipc.Op
	Offset  int64    // of its range, in bytes; 0 where there is none
	Length  int64    // of its range, in bytes; 0 where there is none
	Message *ipc.Job // what to send; nil: the task calls Send when it is ready
	File    *os.File // to send with it, where the message carries one
	Direct  *os.File // its second descriptor, with Get.Align

	Transfer int64 // whose job it is; NoTransfer: that of a listing
	Tried    int   // requests that earlier jobs have made for its range

	Written  int64     // bytes of the range that are in the file, as last reported
	Sum      uint64    // checksum of those bytes, where it combines
	Record   uint64    // their checksum for the journal
	Also     [][]byte  // their further checksums
	Begun    time.Time // when it was sent and had a slot; zero: it has not begun
	Heard    time.Time // when bytes were last reported, or it began
	Retrying bool      // nothing was written since an attempt failed
	Limited  bool      // the pace of its bytes was limited, at times at least

	id        uint64
	task      Task
	loop      *Loop
	hand      *hand
	brief     bool   // its task has said so
	waits     bool   // for a slot, in its worker or on the way there
	place     uint64 // in the order in which the worker got its jobs; 0: it was not sent
	recalled  bool   // the worker is to give it back if it waits
	unseen    bool   // the worker was lost before it began the job
	reclaimed bool   // taken back from its worker, so that others share what is missing
	counted   int64  // bytes, by the counters
	repeats   bool   // an attempt has failed
	sent      *ipc.Job
	requests  requests
}

// Send sends a job that was handed out. Loop goroutine only.
func (j *Job) Send(m *ipc.Job, file *os.File) {
	j.loop.sends++
	m.ID = j.id
	j.sent, j.place = m, j.loop.sends
	j.hand.sends(j)
	if m.Get != nil && m.Get.Align > 0 {
		j.hand.worker.Direct(&ipc.Direct{ID: j.id}, j.Direct)
	}
	j.hand.worker.Job(m, file)
}

// begins notes that the worker begins a job: it was sent, and has a slot.
func (j *Job) begins() {
	j.Begun = time.Now()
	j.Heard = j.Begun
	j.loop.counters.requested(j.Op)
	j.loop.joins(j)
}

// Sent reports whether the job was sent and has a slot. Loop goroutine only.
func (j *Job) Sent() bool { return !j.Begun.IsZero() }

// Withdraw takes back a job that was not sent. Loop goroutine only.
func (j *Job) Withdraw() { j.hand.leave(j) }

// Cancel asks the worker to end a job, if it was sent. Its Result comes all the same.
// Loop goroutine only.
func (j *Job) Cancel() {
	j.reclaimed = false
	if j.place > 0 {
		j.hand.worker.Cancel(j.id)
	}
}

// Reclaim cancels the job, so that the slots which are free can share what it has not written.
// Until it is answered, one of them is kept free. Loop goroutine only.
func (j *Job) Reclaim() {
	j.Cancel()
	j.reclaimed = true
}

// Reclaimed reports whether Reclaim was called. Loop goroutine only.
func (j *Job) Reclaimed() bool { return j.reclaimed }

// Cost returns what the loss of its worker counts against the job: 1, or 0 if the worker never saw
// it. Loop goroutine only.
func (j *Job) Cost() int {
	if j.Sent() && !j.unseen {
		return 1
	}
	return 0
}

// PID returns the process id of the job's worker.
func (j *Job) PID() int { return j.hand.worker.PID() }

// Task returns the entry's task, or nil if it has not begun or has ended. Loop goroutine only.
func (t *Ticket) Task() Task { return t.task }
