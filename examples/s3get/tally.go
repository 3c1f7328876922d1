package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/s3processpool/processpool"
)

// tally counts the results. It is not safe for concurrent use.
type tally struct {
	done, failed, canceled, unchanged int64
	bytes                             int64
	verified                          map[string]int64 // by Object.Verified; "": not verified
	stopped                           error            // ended the whole command
}

func (t *tally) count(f *processpool.Future) {
	switch err := f.Result(); {
	case err == nil:
		t.done++
		t.bytes += f.Object().Size
		if t.verified == nil {
			t.verified = map[string]int64{}
		}
		t.verified[f.Object().Verified]++
	case errors.Is(err, processpool.ErrCanceled):
		t.canceled++
	default:
		t.failed++
	}
}

func (t *tally) ok() bool { return t.failed+t.canceled == 0 && t.stopped == nil }

// sentence returns the final summary.
func (t *tally) sentence(took time.Duration) string {
	seconds := took.Seconds()
	s := fmt.Sprintf("%s, %s in %.1f s", objects(t.done), human(t.bytes), seconds)
	if t.bytes > 0 && seconds > 0 {
		s += fmt.Sprintf(" (%s/s)", human(int64(float64(t.bytes)/seconds)))
	}
	if t.unchanged > 0 {
		s += fmt.Sprintf("; %d unchanged", t.unchanged)
	}
	if t.failed > 0 {
		s += fmt.Sprintf("; %d failed", t.failed)
	}
	if t.canceled > 0 {
		s += fmt.Sprintf("; %d canceled", t.canceled)
	}
	if proofs := t.proofs(); proofs != "" {
		s += "; verified: " + proofs
	}
	return s
}

// proofs lists how many objects were verified by each checksum.
func (t *tally) proofs() string {
	var parts []string
	for _, proof := range slices.Sorted(maps.Keys(t.verified)) {
		if proof != "" {
			parts = append(parts, fmt.Sprintf("%d by %s", t.verified[proof], proof))
		}
	}
	if n := t.verified[""]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d not", n))
	}
	return strings.Join(parts, ", ")
}

func objects(n int64) string {
	if n == 1 {
		return "1 object"
	}
	return fmt.Sprintf("%d objects", n)
}
