package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/fetch"
	"github.com/s3processpool/processpool/internal/ipc"
)

// setupTimeout bounds the wait for the pool's answer to the Hello.
const setupTimeout = 30 * time.Second

// Serve runs a worker on conn and closes it at the end. It returns nil when the pool has sent Stop
// and all jobs have ended, and an error when the pool is gone or breaks the protocol. In case of an
// error jobs may still run: the process should exit. optFns change the options of the SDK's client
// and come last.
func Serve(conn *ipc.Conn, optFns ...func(*s3.Options)) error {
	defer conn.Close()
	setup, err := greet(conn)
	if err != nil {
		return err
	}
	s := &server{conn: conn, answers: make(chan *ipc.Credentials, 1), next: make(chan func())}
	s.mu.jobs = map[uint64]context.CancelCauseFunc{}
	s.client = sync.OnceValues(func() (*fetch.Client, error) {
		return fetch.New(fetch.Options{Settings: setup.Settings, Credentials: newCredentials(s), Rate: &s.rate}, optFns...)
	})
	if err := conn.Send(&ipc.Ready{}, nil); err != nil {
		return gone(err)
	}
	err = s.serve()
	close(s.next)
	if err == nil {
		s.running.Wait()
	}
	return err
}

// greet sends the Hello and returns the pool's Setup.
func greet(conn *ipc.Conn) (*ipc.Setup, error) {
	if err := conn.Send(&ipc.Hello{Version: ipc.Version, PID: os.Getpid()}, nil); err != nil {
		return nil, gone(err)
	}
	conn.SetReadDeadline(time.Now().Add(setupTimeout))
	m, _, err := conn.Receive()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, fmt.Errorf("the pool did not answer within %v", setupTimeout)
	}
	if err != nil {
		return nil, gone(err)
	}
	conn.SetReadDeadline(time.Time{})
	setup, ok := m.(*ipc.Setup)
	if !ok {
		return nil, fmt.Errorf("the pool's first message is a %T, want a Setup", m)
	}
	if setup.Version != ipc.Version {
		return nil, fmt.Errorf("the pool has protocol version %d, this worker %d: build both from one version of the module",
			setup.Version, ipc.Version)
	}
	return setup, nil
}

// gone returns the error of Serve for an error of the socket.
func gone(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) {
		return errors.New("the pool is gone")
	}
	return fmt.Errorf("the pool is gone: %w", err)
}

// server runs jobs, each in a goroutine. The pool sends no more jobs at once than the worker has
// slots.
//
// A goroutine runs one job after the other: a request of the SDK needs a stack of 16 KiB and more, and to
// grow that of a new goroutine took a seventh of a worker's processor time with small objects.
type server struct {
	conn    *ipc.Conn
	client  func() (*fetch.Client, error) // makes it for the first job; many workers get none
	answers chan *ipc.Credentials         // to vended.Retrieve
	second  *os.File                      // of the job to come; nil: none. Of the goroutine of serve
	rate    fetch.RateLimit
	running sync.WaitGroup
	next    chan func()           // to a goroutine that has no job
	broken  atomic.Pointer[error] // of the first Send that broke the conversation

	mu struct {
		sync.Mutex
		jobs map[uint64]context.CancelCauseFunc // that are running
	}
}

// serve handles the pool's messages until the pool stops the worker or is gone. It does not wait for
// the jobs.
func (s *server) serve() error {
	defer s.dropSecond()
	for {
		m, file, err := s.conn.Receive()
		if err != nil {
			if broken := s.broken.Load(); broken != nil {
				err = *broken
			}
			return gone(err)
		}
		switch m := m.(type) {
		case *ipc.Direct:
			s.dropSecond()
			s.second = file
		case *ipc.Job:
			both := &splitFile{file: file}
			if m.Get != nil && m.Get.Align > 0 {
				both.align, both.direct = m.Get.Align, s.second
				s.second = nil
			}
			s.start(m, both)
		case *ipc.Cancel:
			s.dropSecond() // the job that it is for could not be sent
			s.cancel(m.ID)
		case *ipc.RateLimit:
			s.rate.Set(m.BytesPerSecond)
		case *ipc.Credentials:
			s.answers <- m
		case *ipc.Ping:
			if err := s.conn.Send(&ipc.Pong{}, nil); err != nil {
				return gone(err)
			}
		case *ipc.Stop:
			s.cancelAll()
			return nil
		default:
			return fmt.Errorf("the pool sent a %T", m)
		}
	}
}

func (s *server) dropSecond() {
	if s.second != nil {
		s.second.Close()
		s.second = nil
	}
}

// start runs a job and sends its result.
func (s *server) start(job *ipc.Job, file *splitFile) {
	ctx, cancel := context.WithCancelCause(context.Background())
	s.mu.Lock()
	s.mu.jobs[job.ID] = cancel
	s.mu.Unlock()
	s.hand(func() {
		r := &requests{server: s, id: job.ID}
		result := s.run(ctx, job, file, r)
		s.mu.Lock()
		delete(s.mu.jobs, job.ID)
		s.mu.Unlock()
		cancel(nil)
		s.finish(result, r)
	})
}

// hand has a goroutine without a job run fn, or a new one if there is none.
func (s *server) hand(fn func()) {
	select {
	case s.next <- fn:
	default:
		s.running.Go(func() {
			for ok := true; ok; fn, ok = <-s.next {
				fn()
			}
		})
	}
}

// cancel cancels a job, if it still runs.
func (s *server) cancel(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.mu.jobs[id]; cancel != nil {
		cancel(failure.ErrCanceled)
	}
}

// cancelAll cancels all jobs. At a Stop the transfers of all jobs have ended, and waiting for the
// jobs would delay the pool's end.
func (s *server) cancelAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cancel := range s.mu.jobs {
		cancel(failure.ErrCanceled)
	}
}
