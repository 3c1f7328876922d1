// Command floor downloads with as little work as possible: a thread with a blocking socket and a
// buffer for each connection, recv, pwrite, and no HTTP library. No client with ordinary sockets
// can be much cheaper. Over TLS it is what crypto/tls costs by itself.
//
// It makes raw system calls, which Go's scheduler does not see: each thread keeps its P
// (https://go.dev/src/runtime/HACKING.md) while it sleeps in the kernel, and works like a thread of
// a C program. Run it with GODEBUG=asyncpreemptoff=1, or else the scheduler sends signals to
// threads that it considers busy.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/bench/internal/task"
)

var (
	useSplice = flag.Bool("splice", false, "move the bytes from the socket to the file within the kernel")
	useDirect = flag.Bool("direct", false, "write past the page cache (O_DIRECT)")
	useAhead  = flag.Bool("ahead", false, "have crypto/tls read 256 KiB at a time")
	useSync   = flag.Bool("sync", false, "wait until the file is on stable storage; for one object")
)

func main() {
	t := task.Parse()
	runtime.GOMAXPROCS(t.Workers + 1)
	debug.SetGCPercent(-1)
	task.Exit(run(t))
}

// piece is the part of an object that one GET fetches.
type piece struct {
	key         string
	fd          int
	first, last int64
	done        func() error
}

func run(t task.Task) error {
	next, err := plan(t)
	if err != nil {
		return err
	}
	errs := make([]error, t.Workers)
	var threads sync.WaitGroup
	for i := range errs {
		threads.Go(func() {
			runtime.LockOSThread()
			errs[i] = work(t, next)
		})
	}
	threads.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	if *useSync {
		return unix.Fsync(synced)
	}
	return nil
}

// synced is the descriptor of the one object.
var synced int

func work(t task.Task, next func() (piece, bool, error)) error {
	c, err := dial(t.URL, t.Bucket, t.CA)
	if err != nil {
		return err
	}
	defer c.close()
	for {
		p, ok, err := next()
		if err != nil || !ok {
			return err
		}
		if err := c.get(p); err != nil {
			return fmt.Errorf("%s, bytes %d-%d: %w", p.key, p.first, p.last, err)
		}
		if err := p.done(); err != nil {
			return err
		}
	}
}

// plan returns a function that hands out the pieces: the ranges of one object, or whole objects.
func plan(t task.Task) (func() (piece, bool, error), error) {
	objects := t.Objects()
	var taken atomic.Int64
	if len(objects) > 1 {
		return func() (piece, bool, error) {
			i := taken.Add(1) - 1
			if i >= int64(len(objects)) {
				return piece{}, false, nil
			}
			f, err := create(objects[i].File, t.Size)
			if err != nil {
				return piece{}, false, err
			}
			return piece{objects[i].Key, int(f.Fd()), 0, t.Size - 1, f.Close}, true, nil
		}, nil
	}
	f, err := create(objects[0].File, t.Size)
	if err != nil {
		return nil, err
	}
	synced = int(f.Fd())
	open := func() error { return nil }
	return func() (piece, bool, error) {
		first := (taken.Add(1) - 1) * t.Chunk
		if first >= t.Size {
			return piece{}, false, nil
		}
		return piece{objects[0].Key, int(f.Fd()), first, min(first+t.Chunk, t.Size) - 1, open}, true, nil
	}, nil
}

func create(name string, size int64) (*os.File, error) {
	flags := os.O_RDWR | os.O_CREATE | os.O_TRUNC
	if *useDirect {
		flags |= unix.O_DIRECT
	}
	f, err := os.OpenFile(name, flags, 0o666)
	if err != nil {
		return nil, err
	}
	if *useSync { // as clients do that want to know of a full disk
		if err := unix.Fallocate(int(f.Fd()), 0, 0, size); err == nil {
			return f, nil
		}
	}
	return f, f.Truncate(size)
}
