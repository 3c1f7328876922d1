//go:build unix

package pool

import (
	"testing"

	"github.com/s3processpool/processpool/internal/ipc"
)

// Of the limits that wait the worker gets the last, and before the job that it is for. However many
// there are, they do not count as messages that a worker leaves unread.
func TestRateLimitBeforeTheJob(t *testing.T) {
	w, worker := peer(t)
	for n := range 10_000 {
		w.RateLimit(int64(n))
	}
	w.Job(&ipc.Job{ID: 1, Head: &ipc.Head{}}, nil)
	go w.write()
	defer close(w.gone)
	want := func(what string, ok func(ipc.Message) bool) {
		t.Helper()
		m, _, err := worker.Receive()
		if err != nil || !ok(m) {
			t.Fatalf("got %+v, %v, want %s", m, err, what)
		}
	}
	limit := func(n int64) func(ipc.Message) bool {
		return func(m ipc.Message) bool { l, ok := m.(*ipc.RateLimit); return ok && l.BytesPerSecond == n }
	}
	want("the last limit", limit(9999))
	want("the job", func(m ipc.Message) bool { _, ok := m.(*ipc.Job); return ok })
	w.RateLimit(5)
	want("another limit", limit(5))
}
