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
	serving, end := context.WithCancel(context.Background())
	defer end()
	s := &server{conn: conn, answers: make(chan *ipc.Credentials, 1),
		serving: serving, foreign: len(optFns) > 0, slots: setup.Settings.Slots, next: make(chan *work)}
	s.mu.running = map[uint64]*work{}
	s.client = sync.OnceValues(func() (*fetch.Client, error) {
		return fetch.New(fetch.Options{Settings: setup.Settings, Credentials: newCredentials(s), Rate: &s.rate}, optFns...)
	})
	if err := conn.Send(&ipc.Ready{}, nil); err != nil {
		return gone(err)
	}
	err = s.serve()
	s.stop()
	if err == nil {
		s.working.Wait()
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

// server is a worker. It runs as many jobs at a time as it has slots; the others wait their turn.
type server struct {
	conn    *ipc.Conn
	client  func() (*fetch.Client, error) // makes it for the first Job or Connect; many workers get none
	answers chan *ipc.Credentials         // to vended.Retrieve
	second  *os.File                      // of the job to come; nil: none. Of the goroutine of serve
	rate    fetch.RateLimit
	serving context.Context // ends with Serve
	foreign bool            // there are optFns, which may see the client's requests
	slots   int
	working sync.WaitGroup        // goroutines that run jobs
	next    chan *work            // to one of them that has none
	broken  atomic.Pointer[error] // of the first Send that broke the conversation

	mu struct {
		sync.Mutex
		running map[uint64]*work // no more than slots
		waiting []*work          // in the order they came
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
			s.take(m, both)
		case *ipc.Cancel:
			s.dropSecond() // the job that it is for could not be sent
			s.cancel(m)
		case *ipc.RateLimit:
			s.rate.Set(m.BytesPerSecond)
		case *ipc.Connect:
			if !s.foreign {
				go s.connect(m.Bucket)
			}
		case *ipc.Credentials:
			s.answers <- m
		case *ipc.Ping:
			if err := s.conn.Send(&ipc.Pong{}, nil); err != nil {
				return gone(err)
			}
		case *ipc.Stop:
			return nil
		default:
			return fmt.Errorf("the pool sent a %T", m)
		}
	}
}

// connect opens connections for the first ranges. It ignores an error, which the first range reports.
func (s *server) connect(bucket string) {
	if client, err := s.client(); err == nil {
		client.Connect(s.serving, bucket)
	}
}

func (s *server) dropSecond() {
	if s.second != nil {
		s.second.Close()
		s.second = nil
	}
}
