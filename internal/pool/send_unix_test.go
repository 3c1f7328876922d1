//go:build unix

package pool

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/ipc"
)

// peer is a process without a program: the other end of its socket is the test's.
func peer(t testing.TB) (*process, *ipc.Conn) {
	t.Helper()
	ours, theirs, err := ipc.Pair()
	if err != nil {
		t.Fatal(err)
	}
	var conns []*ipc.Conn
	for _, end := range []ipc.End{ours, theirs} {
		c, err := ipc.NewConn(end)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		conns = append(conns, c)
	}
	p := New(Options{Processes: 1, Logger: slog.New(slog.DiscardHandler), Heartbeat: patience})
	conns[1].SetReadDeadline(time.Now().Add(patience))
	return newProcess(p, 0, conns[0]), conns[1]
}

// FuzzSend: a job or credentials of any size reach the worker, or are answered with the reason, and
// the worker is asked the next thing.
func FuzzSend(f *testing.F) {
	for index := range 4 {
		for _, over := range []int8{-1, 0, 1} {
			f.Add(uint8(index), over)
		}
	}
	f.Fuzz(func(t *testing.T, index uint8, over int8) {
		w, worker := peer(t)
		var p parcel
		var pad *string
		switch index % 4 {
		case 0:
			job := &ipc.Job{ID: 7, Key: "x", Head: &ipc.Head{}}
			p.message, pad = job, &job.Key
		case 1:
			job := &ipc.Job{ID: 7, List: &ipc.List{Token: "x"}}
			p.message, pad = job, &job.List.Token
		case 2:
			job := &ipc.Job{ID: 7, Key: "x", Get: &ipc.Get{}}
			p.message, p.file, pad = job, tempFile(t), &job.Key
		case 3:
			c := &ipc.Credentials{SessionToken: "x"}
			p.message, pad = c, &c.SessionToken
		}
		body, err := json.Marshal(p.message)
		if err != nil {
			t.Fatal(err)
		}
		*pad = strings.Repeat("x", ipc.MaxFrame+int(over)-len(body))
		job, isJob := p.message.(*ipc.Job)
		if isJob {
			w.jobs.Give(job)
		}
		go func() {
			w.send(p)
			w.send(parcel{&ipc.Ping{}, nil})
		}()
		if over <= 0 || !isJob {
			m, file, err := worker.Receive()
			if file != nil {
				file.Close()
			}
			if err != nil || fmt.Sprintf("%T", m) != fmt.Sprintf("%T", p.message) {
				t.Fatalf("got %T, %v, want a %T", m, err, p.message)
			}
			if c, ok := m.(*ipc.Credentials); ok && (c.Err != "") != (over > 0) {
				t.Errorf("%d bytes over the limit: got error %q", over, c.Err)
			}
		} else {
			r := (<-w.pool.events).(Result)
			if r.ID != 7 || r.Err == nil || !strings.Contains(r.Err.Text, "cannot send Job of "+string(job.Op())) {
				t.Errorf("got %+v, want an error that names the job", r.Result)
			}
			if w.jobs.busy() || w.proven() {
				t.Error("the job counts as one that the worker has")
			}
		}
		if m, _, err := worker.Receive(); err != nil {
			t.Errorf("got %v, %v, want a Ping", m, err)
		}
	})
}
