package pool

import (
	"context"
	"testing"
)

func TestTurns(t *testing.T) {
	for processors, want := range map[int]int{1: 1, 2: 1, 3: 1, 8: 4} {
		if got := cap(newTurns(processors)); got != want {
			t.Errorf("%d processors: %d starts at a time, want %d", processors, got, want)
		}
	}
	turns := newTurns(4)
	first, second := turns.take(t.Context()), turns.take(t.Context())
	if len(turns) != 2 {
		t.Fatalf("%d starts, want 2", len(turns))
	}
	third := make(chan func())
	go func() { third <- turns.take(t.Context()) }()
	first()
	(<-third)()
	second()
	if len(turns) != 0 {
		t.Errorf("%d starts at the end", len(turns))
	}
}

// A start that takes long, or is not told to stop, holds up no other one for ever.
func TestTurnsOfSlowStarts(t *testing.T) {
	turns := newTurns(1)
	defer turns.take(t.Context())()
	late := turns.take(t.Context()) // after turnWait
	if len(turns) != 1 {
		t.Errorf("%d turns are taken, want 1", len(turns))
	}
	late()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	turns.take(stopped)()
	if len(turns) != 1 {
		t.Errorf("%d turns are taken, want 1", len(turns))
	}
}
