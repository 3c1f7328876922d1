//go:build unix

package pool

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// scriptVariable names the script that the test binary follows instead of running tests.
const scriptVariable = "POOL_TEST_SCRIPT"

func TestMain(m *testing.M) {
	if name := os.Getenv(scriptVariable); name != "" {
		if err := play(name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func play(name string) error {
	socket, err := ipc.Inherited()
	if err != nil {
		return err
	}
	if p, ok := openings[name]; ok {
		_, err := socket.WriteString(p)
		return err
	}
	conn, err := ipc.NewConn(socket)
	if err != nil {
		return err
	}
	scripts[name](&actor{conn})
	return nil
}

// actor is a worker that follows a script.
type actor struct{ conn *ipc.Conn }

func (a *actor) send(m ipc.Message) {
	if err := a.conn.Send(m, nil); err != nil {
		os.Exit(4)
	}
}

// receive returns the pool's next message. The actor ends when the pool does.
func (a *actor) receive() (ipc.Message, *os.File) {
	m, f, err := a.conn.Receive()
	if err != nil {
		os.Exit(5)
	}
	return m, f
}

// hello sends a Hello and returns the answer.
func (a *actor) hello() ipc.Message {
	a.send(&ipc.Hello{Version: ipc.Version, PID: os.Getpid()})
	m, _ := a.receive()
	return m
}

// start completes the handshake.
func (a *actor) start() {
	a.hello()
	a.send(&ipc.Ready{})
}

// serve calls do for each job until the pool sends Stop.
func (a *actor) serve(do func(*ipc.Job, *os.File)) {
	for {
		switch m, f := a.receive(); m := m.(type) {
		case *ipc.Job:
			do(m, f)
		case *ipc.Ping:
			a.send(&ipc.Pong{})
		case *ipc.Stop:
			return
		}
	}
}

// tell answers a job with a Retry whose cause is what text returns.
func (a *actor) tell(text func() string) {
	a.serve(func(job *ipc.Job, _ *os.File) {
		a.send(&ipc.Retry{ID: job.ID, Attempt: 1, Cause: text(), Kind: failure.KindOther})
	})
}

func die(status int, words string) {
	fmt.Fprintln(os.Stderr, words)
	os.Exit(status)
}

// hang never returns, even if the socket is closed.
func hang() { select {} }

// openings are bytes that no ipc.Conn would send. The actor ends after them.
var openings = map[string]string{
	"half a frame": "\x00\x00\x00\x20\x01{\"Version",
	"nonsense":     "panic: this is no frame\n",
}

var scripts = map[string]func(*actor){
	"write": func(a *actor) {
		a.start()
		a.serve(func(job *ipc.Job, f *os.File) {
			fmt.Fprintf(io.NewOffsetWriter(f, job.Get.Offset), "%*s", job.Get.Length, job.Key)
			f.Close()
			object := ipc.Object{Size: job.Get.Size}
			a.send(&ipc.Result{ID: job.ID, Get: &ipc.GetResult{Object: object, Written: job.Get.Length}})
		})
	},
	"print to standard output": func(a *actor) {
		os.Stdout.WriteString(strings.Repeat("hello from an init function\n", 10000))
		a.start()
		a.serve(nil)
	},
	"ask": func(a *actor) {
		a.start()
		a.tell(func() string {
			a.send(&ipc.Ask{})
			m, _ := a.receive()
			c := m.(*ipc.Credentials)
			return c.AccessKeyID + c.Err
		})
	},
	"work for many heartbeats": func(a *actor) {
		a.start()
		job, _ := a.receive()
		for range missedBeats + 2 {
			a.receive()
			a.send(&ipc.Pong{})
		}
		a.send(&ipc.Result{ID: job.(*ipc.Job).ID, Head: &ipc.HeadResult{}})
		a.serve(nil)
	},
	"answer after stop": func(a *actor) {
		a.start()
		var last uint64
		a.serve(func(job *ipc.Job, _ *os.File) { last = job.ID })
		a.send(&ipc.Result{ID: last, Head: &ipc.HeadResult{}})
	},

	"wrong version": func(a *actor) {
		a.send(&ipc.Hello{Version: ipc.Version + 41})
		m, _ := a.receive()
		die(1, fmt.Sprintf("this pool has %d", m.(*ipc.Setup).Version))
	},
	"no hello":              func(a *actor) { a.receive() },
	"no hello and no end":   func(*actor) { fmt.Fprintln(os.Stderr, "here I stay"); hang() },
	"Ready first":           func(a *actor) { a.send(&ipc.Ready{}); a.receive() },
	"no Ready":              func(a *actor) { a.hello(); a.receive() },
	"Pong for Ready":        func(a *actor) { a.hello(); a.send(&ipc.Pong{}); a.receive() },
	"die over its settings": func(a *actor) { a.hello(); die(9, "no such region") },
	"die when ready":        func(a *actor) { a.start(); die(3, "nothing to live for") },

	"die over a job": func(a *actor) {
		a.start()
		a.serve(func(job *ipc.Job, _ *os.File) {
			a.send(&ipc.Progress{ID: job.ID, Written: 5})
			die(7, "first line\nout of luck")
		})
	},
	"say nothing over a job":  func(a *actor) { a.start(); a.receive(); hang() },
	"read nothing":            func(a *actor) { a.start(); hang() },
	"send a Job":              func(a *actor) { a.start(); a.send(&ipc.Job{Head: &ipc.Head{}}); a.receive() },
	"close its side and stay": func(a *actor) { a.start(); a.conn.Close(); hang() },
	"close its side at once":  func(a *actor) { a.start(); a.conn.Close() },
	"ignore Stop": func(a *actor) {
		a.start()
		for {
			a.receive()
		}
	},

	"a long line": func(*actor) { os.Stderr.WriteString(strings.Repeat("x", 100_000)); os.Exit(1) },
	"a flood": func(a *actor) {
		lines := strings.Repeat(strings.Repeat("y", 99)+"\n", 1000)
		for range 20 {
			os.Stderr.WriteString(lines)
		}
		a.start()
		a.serve(nil)
	},
	"leave a child behind": func(a *actor) {
		child := exec.Command("sleep", "3")
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			die(1, err.Error())
		}
		die(1, "the child has my standard error")
	},
}
