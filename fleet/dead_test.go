package fleet

import (
	"fmt"
	"slices"
	"testing"
)

// The dead are put back once each, also while the run is planned, and the counts stay right.
func TestRequeue(t *testing.T) {
	r := create(t, connect(t), "r")
	if _, err := r.Plan(t.Context(), numbers{n: 1400, size: 10}, nil); err != nil {
		t.Fatal(err)
	}
	// 600 of the objects fail, some of them twice.
	for i := range 700 {
		d := Dead{V: Version, Object: Object{Bucket: "b", Key: fmt.Sprint(i % 600), File: "f"}}
		if _, err := r.js.Publish(t.Context(), r.deadSubject(uint64(i%600), 0), d.encode()); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.work.Purge(t.Context()); err != nil { // all else is done
		t.Fatal(err)
	}
	want := func(what string, done, dead, open int64) {
		t.Helper()
		s, err := r.Status(t.Context())
		if err != nil || s.Done != done || s.Dead != dead || s.Open != open || s.Planned != 1400 || s.Ended != (open == 0) {
			t.Errorf("%s: got %+v, %v, want %d done, %d dead, %d open", what, s, err, done, dead, open)
		}
	}
	want("before", 800, 600, 0)
	n, err := r.Requeue(t.Context(), func(d Dead) bool { return d.Object.Key == "7" })
	if n != 599 || err != nil {
		t.Errorf("got %d, %v, want 599", n, err)
	}
	want("after", 800, 1, 599)
	if keys := queued(t, r); len(keys) != 599 || slices.Contains(keys, "7") {
		t.Errorf("got %d objects in the queue: %q", len(keys), keys)
	}
	if n, err := r.Requeue(t.Context(), nil); n != 1 || err != nil {
		t.Errorf("again: got %d, %v, want 1", n, err)
	}
	want("again", 800, 0, 600)
}
