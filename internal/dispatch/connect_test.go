package dispatch

import (
	"slices"
	"testing"

	"github.com/s3processpool/processpool/internal/dispatch/fakecrew"
	"github.com/s3processpool/processpool/internal/ipc"
)

// While a question is out, workers that had no job open their connections, each once; those that come
// up meanwhile, too.
func TestConnect(t *testing.T) {
	for _, op := range []ipc.Op{ipc.OpHead, ipc.OpList} {
		f := newFixture(t, 4, 1)
		asks, free := f.up(0), f.up(1)
		told := func(w *fakecrew.Worker) (buckets []string) {
			f.on(func() { buckets = slices.Clone(w.Buckets) })
			return buckets
		}
		if got := told(free); got != nil {
			t.Errorf("%s: before there was work a worker was told to connect to %q", op, got)
		}
		question, more := f.task("bucket", 1), f.task("more", 1)
		question.op, more.op = op, op
		f.submit(t.Context(), question)
		late := f.up(2)
		f.submit(t.Context(), more) // to the free worker
		f.answer(free)
		for name, w := range map[string]*fakecrew.Worker{"free": free, "late": late} {
			if got := told(w); !slices.Equal(got, []string{"bucket"}) {
				t.Errorf("%s: the %s worker was told to connect to %q, want the bucket once", op, name, got)
			}
		}
		if got := told(asks); got != nil {
			t.Errorf("%s: the one that asks was told to connect to %q", op, got)
		}
		f.on(f.loop.Close)
	}
}

// Ranges are no question: all workers have some, or will have none.
func TestConnectForRanges(t *testing.T) {
	f := newFixture(t, 2, 1)
	f.up(0)
	free := f.up(1)
	f.submit(t.Context(), f.task("t", 1))
	f.on(func() {
		if free.Buckets != nil {
			t.Errorf("got %q", free.Buckets)
		}
	})
	f.on(f.loop.Close)
}
