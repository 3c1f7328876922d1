package processpool

import "slices"

// queue holds downloads that have not started, first in, first out.
type queue struct {
	futures []*Future
	head    int
	live    int // not dropped
}

func (q *queue) push(f *Future) {
	q.futures = append(q.futures, f)
	q.live++
}

// drop forgets a download that has ended before it started; pop passes over it.
func (q *queue) drop(*Future) { q.live-- }

// pop returns the oldest download, or nil.
func (q *queue) pop() *Future {
	for q.head < len(q.futures) {
		f := q.futures[q.head]
		q.futures[q.head] = nil
		q.head++
		if q.head == len(q.futures) {
			q.futures, q.head = nil, 0
		} else if q.head >= 1024 && q.head >= len(q.futures)/2 {
			q.futures, q.head = slices.Clone(q.futures[q.head:]), 0
		}
		if !f.ended {
			q.live--
			return f
		}
	}
	return nil
}
