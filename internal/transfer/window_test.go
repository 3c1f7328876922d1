package transfer

import (
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/s3processpool/processpool/internal/dispatch"
	"github.com/s3processpool/processpool/internal/dispatch/fakecrew"
	"github.com/s3processpool/processpool/internal/ipc"
)

var windowRequests = flag.Int("window.requests", 10_000, "downloads of TestWindowMemory")

// listedOne is a download of a list, with what its caller has of it.
type listedOne struct {
	name     string
	download Download
}

func (o *listedOne) Request() Request {
	return Request{Bucket: "b", Key: "k", Filename: o.name, ExpectedSize: ipc.SizeUnknown, Limit: 100,
		Cut: func(int64) Cut { return Cut{Chunk: 5} }}
}

func (o *listedOne) Wrap(op string, err error) error { return fmt.Errorf("%s: %w", op, err) }

// However long a list is, only the window of it is in memory.
func TestWindowMemory(t *testing.T) {
	crew := fakecrew.New()
	var counters dispatch.Counters
	env := &Env{Logger: slog.New(slog.DiscardHandler), Counters: &counters}
	loop := dispatch.New(dispatch.Options{Crew: crew, Processes: 1, Requests: 50, Logger: env.Logger, Counters: &counters})
	defer func() {
		loop.Do(loop.Shutdown)
		<-loop.Ended()
	}()
	window := NewWindow(t.Context(), loop, func() {})
	defer window.Close()
	dir := t.TempDir()
	worker := crew.Up(0)

	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	land := func() {
		for {
			select {
			case <-window.Ends():
				window.Landed()
				return
			default:
			}
			jobs := worker.Has()
			if len(jobs) == 0 {
				runtime.Gosched() // the destinations are being checked
			}
			for _, j := range jobs {
				r := failed(j)
				r.ID = j.ID
				if err := worker.Say(j.ID, r); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	var early uint64
	for n := range *windowRequests {
		if window.Full() {
			land()
		}
		one := &listedOne{name: filepath.Join(dir, fmt.Sprint(n))}
		one.download.Init(env, one)
		window.Submit(&one.download)
		if n == *windowRequests/10 {
			early = heap()
		}
	}
	late := heap()
	t.Logf("heap after a tenth of %d downloads: %d KiB, after all: %d KiB", *windowRequests, early>>10, late>>10)
	if late > early+1<<20 {
		t.Errorf("the heap has grown from %d KiB to %d", early>>10, late>>10)
	}
	for !window.Empty() {
		land()
	}
}
