package processpool

import (
	"testing"

	"github.com/s3processpool/processpool/internal/ipc"
)

// A worker's word about a range may come when the download has ended and its listener
// is gone: the worker had not heard of it yet.
func TestProgressAfterTheEnd(t *testing.T) {
	called := make(chan Progress, 1)
	notifier := newNotifier(func(p Progress) { called <- p })
	notifier.stop()
	j := &job{span: span{length: 10}}
	ended := &transfer{future: &Future{}, stage: stageEnding, ranges: newRanges(10, 10), jobs: []*job{j}, notifier: notifier}
	ended.progress(j, &ipc.Progress{Written: 5})
	if got := ended.future.Progress(); got.BytesDone != 0 || len(called) > 0 {
		t.Errorf("got progress %v and %d calls, want none", got, len(called))
	}
}
