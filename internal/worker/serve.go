// Package worker is the child process: it says hello to the pool on its inherited
// socket, takes jobs, and ends when the socket does.
package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/fetch"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/osfile"
)

// setupTimeout bounds the wait for the pool's answer to the hello.
const setupTimeout = 30 * time.Second

// Serve is a worker's life: it returns nil when the pool has asked it to stop and
// its jobs have ended, and an error when the pool is gone or speaks something else.
// Jobs still running then are abandoned: the process is to exit.
func Serve(conn *ipc.Conn, optFns ...func(*s3.Options)) error {
	defer conn.Close()
	setup, err := greet(conn)
	if err != nil {
		return err
	}
	s := &server{conn: conn, answers: make(chan *ipc.Credentials, 1)}
	s.mu.jobs = map[uint64]context.CancelCauseFunc{}
	s.client = sync.OnceValues(func() (*fetch.Client, error) {
		return fetch.New(setup.Settings, newCredentials(s), optFns...)
	})
	if err := conn.Send(&ipc.Ready{}, nil); err != nil {
		return gone(err)
	}
	return s.serve()
}

// greet exchanges versions and returns what the pool wants of this worker.
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
		return nil, fmt.Errorf("the pool's first word is a %T, not a Setup", m)
	}
	if setup.Version != ipc.Version {
		return nil, fmt.Errorf("the pool speaks protocol version %d, this worker %d: build both from one version of the module", setup.Version, ipc.Version)
	}
	return setup, nil
}

// gone says what an error of the socket means.
func gone(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) {
		return errors.New("the pool is gone")
	}
	return fmt.Errorf("the pool is gone: %w", err)
}

// server runs jobs, each in a goroutine; the pool sends no more than there are slots.
type server struct {
	conn    *ipc.Conn
	client  func() (*fetch.Client, error) // made for the first job: many workers may never get one
	answers chan *ipc.Credentials
	running sync.WaitGroup

	mu struct {
		sync.Mutex
		jobs map[uint64]context.CancelCauseFunc
	}
}

func (s *server) serve() error {
	for {
		m, file, err := s.conn.Receive()
		if err != nil {
			return gone(err)
		}
		switch m := m.(type) {
		case *ipc.Job:
			s.start(m, file)
		case *ipc.Cancel:
			s.cancel(m.ID)
		case *ipc.Credentials:
			s.answers <- m
		case *ipc.Ping:
			if err := s.conn.Send(&ipc.Pong{}, nil); err != nil {
				return gone(err)
			}
		case *ipc.Stop:
			s.cancelAll()
			s.running.Wait()
			return nil
		default:
			return fmt.Errorf("the pool sent a %T", m)
		}
	}
}

func (s *server) start(job *ipc.Job, file *os.File) {
	ctx, cancel := context.WithCancelCause(context.Background())
	s.mu.Lock()
	s.mu.jobs[job.ID] = cancel
	s.mu.Unlock()
	s.running.Go(func() {
		result := s.run(ctx, job, file)
		s.mu.Lock()
		delete(s.mu.jobs, job.ID)
		s.mu.Unlock()
		cancel(nil)
		s.conn.Send(result, nil) // a socket that fails ends serve
	})
}

func (s *server) cancel(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.mu.jobs[id]; cancel != nil {
		cancel(failure.ErrCanceled)
	}
}

// cancelAll ends jobs whose transfers are over: else the pool would not stop. Their
// own Cancel may be on its way still.
func (s *server) cancelAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cancel := range s.mu.jobs {
		cancel(failure.ErrCanceled)
	}
}

func (s *server) run(ctx context.Context, job *ipc.Job, file *os.File) *ipc.Result {
	retrying := func(attempt int, wait time.Duration, cause error) {
		s.conn.Send(&ipc.Retry{ID: job.ID, Attempt: attempt, Wait: wait, Cause: cause.Error(), Request: failure.RequestID(cause), Kind: failure.KindOf(cause)}, nil)
	}
	if file != nil {
		defer file.Close()
	}
	client, err := s.client()
	if err != nil {
		return &ipc.Result{ID: job.ID, Err: failure.Pack(err)}
	}
	var result *ipc.Result
	switch job.Op {
	case ipc.OpHead:
		result = &ipc.Result{ID: job.ID}
		result.Object, err = client.Head(ctx, job, retrying)
	case ipc.OpParts:
		result = &ipc.Result{ID: job.ID}
		result.Object.Layout, result.Parts, err = client.Parts(ctx, job, retrying)
	case ipc.OpList:
		result = &ipc.Result{ID: job.ID}
		result.Page, err = client.List(ctx, job, retrying)
	case ipc.OpGet:
		result, err = client.Get(ctx, job, file, fetch.Observer{
			Retrying: retrying,
			Found:    func(o ipc.Object) { s.conn.Send(&ipc.Found{ID: job.ID, Object: o}, nil) },
			Progress: s.progress(job),
		})
		if err == nil && job.WriteBack {
			osfile.WriteBack(file, job.Offset, job.Length)
		}
	case ipc.OpRead:
		defer file.Close()
		result, err = read(ctx, job, file)
	default:
		err = fmt.Errorf("no such job: %q", job.Op)
	}
	if err != nil {
		return &ipc.Result{ID: job.ID, Err: failure.Pack(err)}
	}
	return result
}

// progressEvery is the least time between two words about one range. Each wakes the
// pool's process, which is to sleep while bytes flow.
const progressEvery = 100 * time.Millisecond

func (s *server) progress(job *ipc.Job) func(int64, *checksum.Sums) {
	last := time.Now()
	return func(written int64, sums *checksum.Sums) {
		if now := time.Now(); written < job.Length && now.Sub(last) >= progressEvery {
			last = now
			s.conn.Send(&ipc.Progress{ID: job.ID, Written: written, Sum: sums.Proof, Record: sums.Record}, nil)
		}
	}
}
