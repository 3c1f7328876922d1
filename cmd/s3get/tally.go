package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/tool/show"
)

// tally counts the results. It is not safe for concurrent use.
type tally struct {
	done, failed, canceled, unchanged int64
	existing, archived, deleted       int64            // objects whose file was there; objects to restore first; files
	planned, plannedBytes             int64            // of a dry run
	bytes, resumed                    int64            // of the objects; those of them that earlier runs had kept
	verified                          map[string]int64 // by Object.Verified; "": not verified
	stopped                           error            // ended the whole command
	stats                             *stats           // nil: not asked for
}

// skip counts an object that is not downloaded.
func (t *tally) skip(reason string) {
	switch reason {
	case unchanged:
		t.unchanged++
	case existing:
		t.existing++
	case archived:
		t.archived++
	}
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
		if isArchived(err) {
			t.archived++
		}
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
	if t.planned > 0 {
		return fmt.Sprintf("dry run: %s, %s", count(t.planned, "step", "steps"), show.Human(t.plannedBytes))
	}
	s := fmt.Sprintf("%s, %s in %.1f s", objects(t.done), show.Human(t.bytes), seconds)
	if received := t.bytes - t.resumed; received > 0 && seconds > 0 {
		s += fmt.Sprintf(" (%s/s)", show.Human(int64(float64(received)/seconds)))
	}
	if t.resumed > 0 {
		s += fmt.Sprintf("; %s kept from earlier runs", show.Human(t.resumed))
	}
	if t.unchanged > 0 {
		s += fmt.Sprintf("; %d unchanged", t.unchanged)
	}
	if t.existing > 0 {
		s += fmt.Sprintf("; %d existed", t.existing)
	}
	if t.archived > 0 {
		s += fmt.Sprintf("; %d archived", t.archived)
	}
	if t.deleted > 0 {
		s += fmt.Sprintf("; %s deleted", count(t.deleted, "file", "files"))
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
	if t.stats != nil {
		s += "\n" + t.stats.String()
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
	return count(n, "object", "objects")
}
