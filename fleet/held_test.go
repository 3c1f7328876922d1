package fleet

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"syscall"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/s3processpool/processpool"
)

// signs is a message that counts the signs of progress.
type signs struct {
	jetstream.Msg
	n int
}

func (s *signs) InProgress() error { s.n++; return nil }

func newTestWorker() *worker {
	w := &worker{o: WorkOptions{Logger: slog.New(slog.DiscardHandler), MaxDeliver: 3}, ackWait: time.Hour, room: make(chan struct{}, 1)}
	w.mu.held, w.mu.busy = map[*held]bool{}, map[string]bool{}
	return w
}

func (w *worker) hold(objects int) (*held, *signs) {
	s := &signs{}
	h := &held{worker: w, message: s, open: objects, extended: time.Now()}
	for range objects {
		h.tasks = append(h.tasks, &task{held: h, object: &Object{Size: 100}})
	}
	w.mu.held[h] = true
	return h, s
}

// The server is told of a message whose bytes come, of one that waits its turn, and of one that is
// being synced, but of none that makes no progress.
func TestExtend(t *testing.T) {
	w := newTestWorker()
	h, told := w.hold(2)
	_, idle := w.hold(1)
	check := func(what string, anything bool, want, wantIdle int) {
		t.Helper()
		told.n, idle.n = 0, 0
		w.extend(anything)
		if told.n != want || idle.n != wantIdle {
			t.Errorf("%s: got %d and %d signs, want %d and %d", what, told.n, idle.n, want, wantIdle)
		}
	}
	check("nothing has begun, nothing moves", false, 0, 0)
	check("nothing has begun, others move", true, 1, 1)
	h.tasks[0].progress(processpool.Progress{BytesDone: 0, BytesTotal: 100})
	check("begun without a byte", true, 0, 1)
	h.tasks[0].progress(processpool.Progress{BytesDone: 10, BytesTotal: 100})
	check("bytes came", false, 1, 0)
	check("and no more", false, 0, 0)
	h.tasks[0].progress(processpool.Progress{BytesDone: 10, BytesTotal: 100})
	check("the same count again", false, 0, 0)
	h.tasks[0].progress(processpool.Progress{BytesDone: 100, BytesTotal: 100})
	check("all bytes", false, 1, 0)
	check("being synced", false, 1, 0)
	h.tasks[0].full.Store(time.Now().Add(-3 * w.ackWait).UnixNano())
	check("being synced for too long", false, 0, 0)
}

// A worker that was stopped for too long does not have the message again by telling the server of it.
func TestLapsed(t *testing.T) {
	w := newTestWorker()
	h, told := w.hold(1)
	h.moved.Store(true)
	if w.extend(false); told.n != 1 || h.lapsed() {
		t.Errorf("in time: got %d signs, lapsed: %v", told.n, h.lapsed())
	}
	h.extended = h.extended.Add(-w.ackWait)
	h.moved.Store(true)
	if w.extend(false); !h.lapsed() {
		t.Error("after a sign that came too late: got that it has not lapsed")
	}
}

func answered(status int) error {
	return &processpool.TransferError{Err: &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: errors.New("refused"),
	}}}
}

// What is wrong with the machine goes to another one, and ends the worker; what is wrong with the
// object goes to the dead.
func TestVerdict(t *testing.T) {
	full := &processpool.TransferError{Err: &fs.PathError{Op: "write", Err: syscall.ENOSPC}}
	for _, c := range []struct {
		err         error
		any         bool
		want        kind
		node        bool
		description string
	}{
		{nil, false, good, false, "nil"},
		{full, true, later, true, "full disk"},
		{&processpool.TransferError{Err: processpool.ErrBusy}, true, later, false, "busy"},
		{&processpool.TransferError{Err: processpool.ErrCanceled}, true, later, false, "canceled"},
		{&processpool.TransferError{Err: processpool.ErrStalled}, true, later, false, "stalled"},
		{&processpool.TransferError{Err: processpool.ErrObjectChanged}, true, never, false, "changed"},
		{answered(403), false, later, false, "refused before any success"},
		{answered(403), true, never, false, "refused"},
		{fmt.Errorf("a bad name"), true, never, false, "other"},
	} {
		w := newTestWorker()
		w.mu.any = c.any
		if got := w.verdict(c.err); got != c.want {
			t.Errorf("%s: got %v, want %v", c.description, got, c.want)
		}
		w.judge(&task{}, c.err)
		var node *NodeError
		if got := errors.As(w.mu.fault, &node); got != c.node {
			t.Errorf("%s: got the worker's error %v, want one of the node: %v", c.description, w.mu.fault, c.node)
		}
	}
	w := newTestWorker()
	for range maxRefused - 1 {
		w.judge(&task{}, answered(403))
	}
	if w.mu.fault != nil {
		t.Errorf("got %v", w.mu.fault)
	}
	if w.judge(&task{}, answered(403)); w.mu.fault == nil {
		t.Errorf("%d refusals: got no error", maxRefused)
	}
}
