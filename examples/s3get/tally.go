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
	bytes, resumed                    int64            // of the objects; those of them that earlier runs had kept
	verified                          map[string]int64 // by Object.Verified; "": not verified
	stopped                           error            // ended the whole command
}

func (t *tally) count(f *processpool.Future) {
	switch err := f.Result(); {
	case err == nil:
		t.done++
		t.bytes += f.Object().Size
		t.resumed += f.Object().Resumed
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

// interrupted reports whether something is missing because it was canceled.
func (t *tally) interrupted() bool {
	return t.canceled > 0 || errors.Is(t.stopped, processpool.ErrCanceled)
}

// sentence returns the final summary. The rate is that of the bytes that were received.
func (t *tally) sentence(took time.Duration) string {
	seconds := took.Seconds()
	s := fmt.Sprintf("%s, %s in %.1f s", objects(t.done), human(t.bytes), seconds)
	if received := t.bytes - t.resumed; received > 0 && seconds > 0 {
		s += fmt.Sprintf(" (%s/s)", human(int64(float64(received)/seconds)))
	}
	if t.resumed > 0 {
		s += fmt.Sprintf("; %s kept from earlier runs", human(t.resumed))
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
