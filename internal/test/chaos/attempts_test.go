//go:build linux

package chaos

import (
	"sync"
	"sync/atomic"

	"github.com/s3processpool/processpool"
)

// attempts are what OnAttempt is told in a run, and what is wrong with it.
type attempts struct {
	inside atomic.Int32

	mu      sync.Mutex
	futures map[int64]*processpool.Future // that DownloadFile has returned
	bytes   map[int64]int64               // of the bodies of GetObject, by download
	calls   int
}

func newAttempts() *attempts {
	return &attempts{futures: map[int64]*processpool.Future{}, bytes: map[int64]int64{}}
}

func (a *attempts) submitted(f *processpool.Future) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.futures[f.Meta().TransferID] = f
}

// told is a run's OnAttempt.
func (r *run) told(one processpool.Attempt) {
	a := r.attempts
	if a.inside.Add(1) > 1 {
		r.Errorf("two calls of OnAttempt at a time")
	}
	defer a.inside.Add(-1)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls++
	if one.Operation == "GetObject" {
		a.bytes[one.TransferID] += one.Bytes
	}
	if one.Number < 1 || one.End.Before(one.Start) || one.Bytes < 0 || one.Worker == 0 || one.Operation == "" ||
		one.Err == nil && one.StatusCode/100 != 2 {
		r.Errorf("got the attempt %+v", one)
	}
	if f := a.futures[one.TransferID]; f != nil {
		select {
		case <-f.Done():
			r.Errorf("%s: got the attempt %+v after the end", one.Key, one)
		default:
		}
	}
}

// judgeAttempts checks that the requests of a download have brought the object's bytes.
func (r *run) judgeAttempts(t *transfer) {
	if !r.plan.told || t.future.Result() != nil {
		return
	}
	a, arrived := r.attempts, t.future.Progress().BytesTotal-t.future.Object().Resumed
	a.mu.Lock()
	defer a.mu.Unlock()
	if got := a.bytes[t.future.Meta().TransferID]; got < arrived {
		r.Errorf("%s: got attempts of %d bytes, and %d have arrived", t.key, got, arrived)
	}
}
