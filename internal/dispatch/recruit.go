package dispatch

import "time"

// patience is how long jobs wait for workers that start before one more worker is started: those
// may never be ready.
const patience = 250 * time.Millisecond

// recruit has as many workers started as there is work for. A start costs some milliseconds of
// processor time, so that a program which downloads one small object is done before ten workers were.
// Workers that were started stay.
func (l *Loop) recruit() {
	if l.recruited == l.options.Processes || l.stopped {
		return
	}
	busy, asking := 0, false
	for _, h := range l.hands {
		busy += len(h.jobs)
		for _, j := range h.jobs {
			asking = asking || j.question()
		}
	}
	ready := l.waiting.live + len(l.urgent)
	for _, t := range l.active {
		ready += t.Ready()
	}
	ready = min(ready, l.room()) // a limit of the requests leaves some without work
	need := (busy + ready + l.options.Requests - 1) / l.options.Requests
	if asking && len(l.hands) == l.recruited {
		need = max(need, l.recruited+1) // the answer may be a large object, or many: one more meanwhile
	}
	if ready > 0 && l.Free() == 0 {
		if waited := time.Since(l.enlisted); waited >= patience {
			need = max(need, l.recruited+1)
		} else {
			l.lookIn(patience - waited)
		}
	}
	l.enlist(need)
}

// enlist has n workers started, or as many as there can be, unless they were.
func (l *Loop) enlist(n int) {
	if n = min(n, l.options.Processes); n > l.recruited {
		l.recruited, l.enlisted = n, time.Now()
		l.crew.Want(n)
	}
}
