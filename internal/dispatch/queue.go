package dispatch

import "slices"

// queue holds entries that have not begun, first in, first out. One that ends before it begins
// stays until pop passes over it; whoever ends it takes it off live.
type queue struct {
	entries []Entry
	head    int
	live    int // not ended
}

func (q *queue) push(e Entry) {
	q.entries = append(q.entries, e)
	q.live++
	e.Ticket().queued = true
}

// pop returns the oldest entry that has not ended, or nil.
func (q *queue) pop() Entry {
	for q.head < len(q.entries) {
		e := q.entries[q.head]
		q.entries[q.head] = nil
		q.head++
		if q.head == len(q.entries) {
			q.entries, q.head = nil, 0
		} else if q.head >= 1024 && q.head >= len(q.entries)/2 {
			q.entries, q.head = slices.Clone(q.entries[q.head:]), 0
		}
		if t := e.Ticket(); !t.ended {
			q.live--
			t.queued = false
			return e
		}
	}
	return nil
}
