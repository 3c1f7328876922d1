package main

import (
	"crypto/sha256"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/s3processpool/processpool/bench/internal/task"
)

// node is an object of the service's heap that the garbage collector must follow.
type node struct {
	next, other *node
	payload     [6]uint64
}

// newHeap returns a heap of about size bytes, all of it in use.
func newHeap(size int64) []*node {
	nodes := make([]*node, size/64)
	for i := range nodes {
		nodes[i] = &node{}
		nodes[i].next, nodes[i].other = nodes[i/2], nodes[i/3]
	}
	return nodes
}

// service answers requests that arrive at a fixed rate, whether the earlier ones have been answered or
// not: a request that has to wait counts from when it was due.
type service struct {
	every time.Duration
	heap  []*node
	quit  chan struct{}
	ended chan struct{}

	mu        sync.Mutex
	latencies []time.Duration
}

func newService(rate int, heap []*node) *service {
	return &service{every: time.Second / time.Duration(rate), heap: heap, quit: make(chan struct{}), ended: make(chan struct{})}
}

func (s *service) start() {
	go func() {
		defer close(s.ended)
		var requests sync.WaitGroup
		defer requests.Wait()
		for n, begin := 0, time.Now(); ; n++ {
			due := begin.Add(time.Duration(n) * s.every)
			select {
			case <-s.quit:
				return
			case <-time.After(time.Until(due)):
			}
			requests.Go(func() {
				s.answer(n)
				took := time.Since(due)
				s.mu.Lock()
				s.latencies = append(s.latencies, took)
				s.mu.Unlock()
			})
		}
	}()
}

// answer does what a request costs: some tens of microseconds, and 64 KiB of garbage.
func (s *service) answer(n int) {
	body := make([]byte, 64<<10)
	sum := sha256.Sum256(body)
	at := s.heap
	if len(at) == 0 {
		return
	}
	x := at[(n*7919)%len(at)]
	for range 64 {
		x = x.next
		x.payload[0] += uint64(sum[0])
	}
}

// stop ends the service and returns how long each request took.
func (s *service) stop() []time.Duration {
	close(s.quit)
	<-s.ended
	return s.latencies
}

// summary returns the quantiles of latencies.
func summary(latencies []time.Duration) task.Served {
	slices.Sort(latencies)
	at := func(q float64) float64 {
		if len(latencies) == 0 {
			return 0
		}
		i := min(int(math.Ceil(q*float64(len(latencies))))-1, len(latencies)-1)
		return float64(latencies[max(i, 0)]) / 1e6
	}
	return task.Served{Requests: len(latencies), P50: at(0.5), P99: at(0.99), P999: at(0.999), Max: at(1)}
}
