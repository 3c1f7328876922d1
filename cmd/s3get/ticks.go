package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/s3processpool/processpool/internal/tool/show"
)

// period is the time between two reports of the progress without a terminal.
const period = 10 * time.Second

// newTicker returns the clock of ticks. Tests have another.
var newTicker = func() (ticks <-chan time.Time, stop func()) {
	t := time.NewTicker(period)
	return t.C, t.Stop
}

// ticks reports the progress from time to time, in a goroutine of its own.
type ticks struct {
	stop, stopped chan struct{}
	output        sync.Mutex // held by whoever writes where a report may be written
}

func (t *ticks) start(read func() status, report func(s status, rate float64)) {
	t.stop, t.stopped = make(chan struct{}), make(chan struct{})
	ticker, end := newTicker()
	go func() {
		defer close(t.stopped)
		defer end()
		var p pace
		p.look(time.Now(), 0)
		for {
			select {
			case <-ticker:
				s := read()
				rate := p.look(time.Now(), s.done)
				t.output.Lock()
				report(s, rate)
				t.output.Unlock()
			case <-t.stop:
				return
			}
		}
	}()
}

// close ends the reports. Without start it does nothing.
func (t *ticks) close() {
	if t != nil && t.stop != nil {
		close(t.stop)
		<-t.stopped
		t.stop = nil
	}
}

func (l *lines) whole(read func() status) {
	if !l.quiet {
		l.ticks = &ticks{}
		l.ticks.start(read, func(s status, rate float64) { fmt.Fprintln(l.stderr, s.sentence(rate)) })
	}
}

// sentence returns the line of a period.
func (s status) sentence(rate float64) string {
	text := fmt.Sprintf("s3get: %s, %s of %s (%d %%)", objects(s.objects), show.Human(s.done), show.Human(s.total), percent(s.done, s.total))
	if details := s.details(rate); details != "" {
		text += ", " + details
	}
	return text
}
