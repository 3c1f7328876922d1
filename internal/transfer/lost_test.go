package transfer

import (
	"errors"
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

// A worker that was dead before it saw the job has not died of it.
func TestLostBeforeItWasSeen(t *testing.T) {
	sized := &transfer{future: &Future{}, stage: stageSizing}
	fetched := &transfer{future: &Future{}, stage: stageFetching, ranges: newRanges(10, 10)}
	listed := &listing{scheduler: &scheduler{}, answer: make(chan listed, 1)}
	for range 2 * maxLost {
		sized.lost(&job{op: ipc.OpHead}, errors.New("killed"))
		s, ok := fetched.ranges.take()
		if !ok {
			t.Fatal("the range was not given back")
		}
		fetched.lost(&job{op: ipc.OpGet, span: s}, errors.New("killed"))
		fetched.lostRead(&job{op: ipc.OpRead}, errors.New("killed"))
		listed.lost(&job{op: ipc.OpList}, errors.New("killed"))
	}
	if sized.stage != stageSizing || fetched.stage != stageFetching || len(listed.answer) > 0 {
		t.Errorf("got stages %v and %v and %d answers, want %v, %v and none",
			sized.stage, fetched.stage, len(listed.answer), stageSizing, stageFetching)
	}
}
