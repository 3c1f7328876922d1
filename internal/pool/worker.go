package pool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// missedBeats is how many pings in a row a worker that has jobs may leave
// unanswered before it is killed.
const missedBeats = 3

// process is one worker process. Job and Cancel may be called by the pool's owner between Up and
// Down.
type process struct {
	pid  int
	seat int

	pool   *Pool
	conn   *ipc.Conn
	cmd    *exec.Cmd
	stderr *stderr
	outbox chan parcel
	gone   chan struct{} // closed when the socket has ended

	last uint64 // the job that was the last thing sent; 0: something else. Of the writer

	mu struct {
		sync.Mutex
		ended  bool     // nothing is sent any more
		unread []uint64 // jobs that did not reach the worker
	}

	heard    atomic.Bool  // something since the last beat
	jobs     atomic.Int64 // sent, not answered
	answered atomic.Bool
	silent   atomic.Bool // killed for silence
}

// parcel is a message with the file that goes with it.
type parcel struct {
	message ipc.Message
	file    *os.File
}

func newWorker(p *Pool, seat int, conn *ipc.Conn) *process {
	return &process{
		seat:   seat,
		pool:   p,
		conn:   conn,
		stderr: &stderr{logger: p.options.Logger},
		// Jobs, their cancels, credentials, pings: far below this.
		outbox: make(chan parcel, 8*p.options.Settings.Slots+32),
		gone:   make(chan struct{}),
	}
}

// PID returns the process's id.
func (w *process) PID() int { return w.pid }

// Seat returns the number of the worker's seat.
func (w *process) Seat() int { return w.seat }

// Job hands a job to the worker, with its open file. It does not block.
func (w *process) Job(job *ipc.Job, file *os.File) {
	w.jobs.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.ended {
		w.mu.unread = append(w.mu.unread, job.ID)
		return
	}
	w.post(job, file)
}

// Unread returns, after Down, the jobs that the worker has never seen: they are not
// what it has died of.
func (w *process) Unread() []uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.unread
}

// Cancel asks the worker to end a job early.
func (w *process) Cancel(id uint64) { w.post(&ipc.Cancel{ID: id}, nil) }

func (w *process) post(m ipc.Message, file *os.File) {
	select {
	case w.outbox <- parcel{m, file}:
	default:
		w.kill() // it has not read for an age
	}
}

// proven tells whether the worker has done anything, or was at it: if not, its end
// is taken for a failed start.
func (w *process) proven() bool { return w.answered.Load() || w.jobs.Load() > int64(len(w.Unread())) }

// work reads the worker's words until it is gone, reaps it, and says why it ended.
func (w *process) work() error {
	writer := make(chan struct{})
	go func() {
		defer close(writer)
		w.write()
	}()
	err := w.read()
	close(w.gone)
	<-writer
	w.settle(err)
	return w.bury(ended(err))
}

// settle finds the jobs that the worker never saw: those not sent, and the last one
// sent, if the socket was closed with something in it. Linux tells that by a reset
// (unix_release_sock in net/unix/af_unix.c); elsewhere that job counts as seen.
func (w *process) settle(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.ended = true
	if w.last != 0 && errors.Is(err, syscall.ECONNRESET) {
		w.mu.unread = append(w.mu.unread, w.last)
	}
	for {
		select {
		case p := <-w.outbox:
			if job, ok := p.message.(*ipc.Job); ok {
				w.mu.unread = append(w.mu.unread, job.ID)
			}
		default:
			return
		}
	}
}

func (w *process) read() error {
	for {
		m, _, err := w.conn.Receive()
		if err != nil {
			return err
		}
		w.heard.Store(true)
		switch m := m.(type) {
		case *ipc.Found:
			w.pool.events <- Found{w, m}
		case *ipc.Progress:
			w.pool.events <- Progress{w, m}
		case *ipc.Retry:
			w.pool.events <- Retry{w, m}
		case *ipc.Result:
			w.jobs.Add(-1)
			w.answered.Store(true)
			w.pool.events <- Result{w, m}
		case *ipc.Ask:
			w.pool.vendor.vend(w, m)
		case *ipc.Pong:
		default:
			return fmt.Errorf("it sent a %T", m)
		}
	}
}

// write empties the outbox, and looks after the worker's heartbeat, until the socket
// has ended or the pool is stopped and the worker, too.
func (w *process) write() {
	beat := time.NewTicker(w.pool.options.Heartbeat)
	defer beat.Stop()
	stopped, overdue, missed := w.pool.stopped.Done(), (<-chan time.Time)(nil), 0
	for {
		select {
		case p := <-w.outbox:
			w.send(p)
		case <-beat.C:
			missed = w.beat(missed)
		case <-stopped:
			stopped = nil
			w.empty() // a job or its Cancel must not come behind
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

// empty sends what is in the outbox.
func (w *process) empty() {
	for {
		select {
		case p := <-w.outbox:
			w.send(p)
		default:
			return
		}
	}
}

// beat counts beats, not seconds: a machine that slept, or a process group that
// was stopped and goes on, has missed one.
func (w *process) beat(missed int) int {
	if w.jobs.Load() == 0 || w.heard.Swap(false) {
		return 0
	}
	if missed >= missedBeats {
		w.silent.Store(true)
		w.kill()
		return 0
	}
	w.send(parcel{&ipc.Ping{}, nil})
	return missed + 1
}

// patience is how long a worker may be silent.
func (w *process) patience() time.Duration { return missedBeats * w.pool.options.Heartbeat }

func (w *process) send(p parcel) {
	w.conn.SetWriteDeadline(time.Now().Add(w.patience()))
	err := w.conn.Send(p.message, p.file)
	var closed *ipc.FileError
	job, isJob := p.message.(*ipc.Job)
	switch {
	case err == nil && isJob:
		w.last = job.ID
	case err == nil:
		w.last = 0
	case errors.As(err, &closed) && isJob:
		// The transfer has ended, and its file with it, before the job went out.
		w.jobs.Add(-1)
		result := &ipc.Result{ID: job.ID, Err: failure.Pack(failure.ErrCanceled)}
		w.pool.events <- Result{w, result}
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.silent.Store(true)
		w.kill()
	case err != nil:
		if isJob {
			w.mu.Lock()
			w.mu.unread = append(w.mu.unread, job.ID)
			w.mu.Unlock()
		}
		w.kill() // the reader will see the end
	}
}

// kill ends the process; bury reaps it.
func (w *process) kill() {
	if err := w.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		w.pool.options.Logger.Error("kill worker", "worker", w.pid, "error", err)
	}
}

// bury makes sure that the process is gone, reaps it, and explains its end. A
// worker that has ended its side on its own is given the time to exit.
func (w *process) bury(cause error) error {
	w.conn.Close()
	grace := time.AfterFunc(time.Second, w.kill)
	defer grace.Stop()
	w.cmd.Wait() // its status is in ProcessState
	w.stderr.flush()
	e := &lost{
		pid:   w.pid,
		state: w.cmd.ProcessState,
		cause: cause,
		tail:  w.stderr.tail(),
	}
	if w.silent.Load() {
		e.silent = w.patience()
	}
	return e
}

// lost says how a worker ended.
type lost struct {
	pid    int
	state  *os.ProcessState
	cause  error
	silent time.Duration // 0: it was not
	tail   string
}

func (e *lost) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: pid %d", failure.ErrWorkerLost, e.pid)
	switch {
	case e.silent > 0:
		fmt.Fprintf(&b, ": killed, for it had not answered for %v", e.silent)
	case e.state != nil:
		fmt.Fprintf(&b, ": %v", e.state)
	}
	if e.cause != nil && e.cause != errEnded {
		fmt.Fprintf(&b, ": %v", e.cause)
	}
	if e.tail != "" {
		fmt.Fprintf(&b, "; its last words: %s", e.tail)
	}
	return b.String()
}

func (e *lost) Unwrap() error { return failure.ErrWorkerLost }

var errEnded = errors.New("it ended")

// ended gives the ways in which a socket tells of the other side's end one name.
func ended(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return errEnded
	}
	return err
}
