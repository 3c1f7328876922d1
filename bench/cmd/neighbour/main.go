// Command neighbour is a service that answers requests at a fixed rate while it downloads an object, in
// one of several ways. It prints how long the requests took.
package main

import (
	"context"
	"flag"
	"runtime"
	"syscall"
	"time"

	"github.com/s3processpool/processpool/bench/internal/task"
)

var (
	by       = flag.String("by", "none", "who downloads: none, manager, transfermanager or processpool")
	early    = flag.Bool("early", false, "start all workers of processpool before the service begins")
	nice     = flag.Int("nice", 0, "Config.Nice of processpool")
	rate     = flag.Int("rate", 1000, "requests a second")
	heapSize = flag.Int64("heap", 1<<30, "`bytes` of pointers in the service's heap")
	idle     = flag.Duration("for", 20*time.Second, "`time` to serve, with -by none")
)

func main() { task.Exit(run(task.Parse())) }

func run(t task.Task) error {
	d, err := pool(t)
	if err != nil {
		return err
	}
	defer d.Shutdown()
	heap := newHeap(*heapSize)
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu := processorTime()

	s := newService(*rate, heap)
	start := time.Now()
	s.start()
	err = download(context.Background(), t, d)
	latencies := s.stop()
	seconds := time.Since(start).Seconds()
	if err != nil {
		return err
	}
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(heap)
	f := summary(latencies)
	f.GC, f.CPU, f.Seconds = after.NumGC-before.NumGC, (processorTime() - cpu).Seconds(), seconds
	return f.Print()
}

// processorTime returns that of this process, without its children.
func processorTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
