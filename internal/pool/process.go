package pool

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/s3processpool/processpool/internal/ipc"
)

// process is one worker process. Three goroutines share it: the seat's, which owns it and reads
// from the socket; the writer, which alone writes to the socket after the handshake; and the pool's
// owner, by the methods of Worker.
type process struct {
	pid  int
	seat int

	pool   *Pool
	conn   *ipc.Conn
	cmd    *exec.Cmd
	stderr *stderr
	outbox chan parcel   // to the writer
	rate   rateLimit     // to the writer
	gone   chan struct{} // closed when the socket has ended

	// Only the writer uses these, and the seat after the writer has ended.
	last uint64 // the job that was sent last; 0 = another message was

	jobs Jobs

	mu struct {
		sync.Mutex
		ended  bool     // nothing is sent any more
		unread []uint64 // jobs that did not reach the worker
	}

	heard  atomic.Bool  // a message since the last beat
	pinged atomic.Int64 // pings without an answer
	asking atomic.Bool  // for credentials
	silent atomic.Bool  // killed because it did not answer
	late   atomic.Bool  // killed because it did not end a job

	renewed time.Time // its last Ask for other credentials; for the vendor, one Ask at a time
}

// parcel is a message with the file that it carries, if it carries one.
type parcel struct {
	message ipc.Message
	file    *os.File
}

func newProcess(p *Pool, seat int, conn *ipc.Conn) *process {
	w := &process{
		seat:   seat,
		pool:   p,
		conn:   conn,
		stderr: &stderr{logger: p.options.Logger},
		// Jobs, cancels, credentials and pings of a worker that reads are far fewer.
		outbox: make(chan parcel, 8*p.options.Settings.Slots+32),
		gone:   make(chan struct{}),
		rate:   rateLimit{news: make(chan struct{}, 1)},
		jobs:   Jobs{hurry: p.options.Settings.Hurry, Attempts: p.options.Settings.Attempts},
	}
	return w
}

// PID implements Worker.
func (w *process) PID() int { return w.pid }

// Seat implements Worker.
func (w *process) Seat() int { return w.seat }

// Job implements Worker. Only the pool's owner may call it.
func (w *process) Job(job *ipc.Job, file *os.File) {
	w.jobs.Give(job)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.ended || !w.post(job, file) {
		w.mu.unread = append(w.mu.unread, job.ID)
	}
}

// Direct implements Worker. Only the pool's owner may call it.
func (w *process) Direct(d *ipc.Direct, file *os.File) { w.post(d, file) }

// Connect implements Worker. Only the pool's owner may call it.
func (w *process) Connect(bucket string) { w.post(&ipc.Connect{Bucket: bucket}, nil) }

// Cancel implements Worker. Only the pool's owner may call it.
func (w *process) Cancel(id uint64) {
	w.jobs.Cancel(id)
	w.post(&ipc.Cancel{ID: id}, nil)
}

// Recall implements Worker. Only the pool's owner may call it.
func (w *process) Recall(id uint64) {
	w.jobs.Recall(id)
	w.post(&ipc.Cancel{ID: id, Waiting: true}, nil)
}

// Unread implements Worker.
func (w *process) Unread() []uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.unread
}

// post hands a message to the writer and reports whether the outbox had room for it. It does not
// block: if the outbox is full the worker has not read for a long time, and is killed. It may be
// called concurrently.
func (w *process) post(m ipc.Message, file *os.File) bool {
	select {
	case w.outbox <- parcel{m, file}:
		return true
	default:
		w.kill()
		return false
	}
}

// proven reports whether the worker has answered a job, or has read one that it did not answer. If
// it has done neither, its end counts as a failed start.
func (w *process) proven() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.jobs.count() > len(w.mu.unread)
}

// work reports the worker's messages until the worker is gone, reaps it, and returns why it ended.
// Only the seat's goroutine may call it.
func (w *process) work() error {
	writer := make(chan struct{})
	go func() {
		defer close(writer)
		w.write()
	}()
	err := w.read()
	cause := ended(err)
	if cause != errEnded {
		w.kill() // nothing that it says counts any more
		cause = &brokenError{cause}
	}
	close(w.gone)
	<-writer
	w.collectUnread(err)
	return w.reap(cause)
}

// read reports the worker's messages as events until the socket ends, or the worker breaks the
// protocol. Only the seat's goroutine may call it.
func (w *process) read() error {
	for {
		m, err := w.receive()
		if err != nil {
			return err
		}
		w.heard.Store(true)
		id, about := jobOf(m)
		switch m := m.(type) {
		case *ipc.Ask:
			if w.asking.Swap(true) {
				return errors.New("it asked for credentials before it had those of its last Ask")
			}
			w.pool.vendor.vend(w, m)
		case *ipc.Pong:
			if w.pinged.Add(-1) < 0 {
				return errors.New("it sent a Pong without a Ping")
			}
		default:
			if !about {
				return fmt.Errorf("it sent a %s", nameOf(m))
			}
			heard, err := w.jobs.Hear(id, m)
			if err != nil {
				return err
			}
			if heard != nil {
				w.pool.events <- EventOf(w, heard)
			}
		}
	}
}

// collectUnread finds the jobs that the worker never read: those that were not sent, and the last
// one sent if the worker closed its socket with bytes in it. Linux reports that as a reset
// (unix_release_sock in net/unix/af_unix.c); on other systems that job counts as read. Only the
// seat's goroutine may call it, after the writer has ended.
func (w *process) collectUnread(err error) {
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
