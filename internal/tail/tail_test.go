package tail

import (
	"testing"
	"time"
)

func TestSlow(t *testing.T) {
	const mib = 1 << 20
	var usual Pace // 8 MiB/s
	usual.Add(8*mib, 500*time.Millisecond)
	usual.Add(8*mib, 1500*time.Millisecond)
	var slow Pace // 1 MiB/s
	slow.Add(8*mib, 8*time.Second)
	for _, c := range []struct {
		what    string
		pace    Pace
		written int64
		age     time.Duration
		quiet   time.Duration
		want    bool
	}{
		{"as the others", usual, 4 * mib, 500 * time.Millisecond, 0, false},
		{"half as fast", usual, 4 * mib, time.Second, 0, false},
		{"four times slower", usual, 4 * mib, 2 * time.Second, 0, true},
		{"four times slower, but at its end", usual, 7 * mib, 3500 * time.Millisecond, 0, false},
		{"silent from the start", usual, 0, 3 * time.Second, 3 * time.Second, true},
		{"not yet for long", usual, 0, 2 * time.Second, 2 * time.Second, false},
		{"fast, then silent", usual, 7 * mib, 1100 * time.Millisecond, time.Second, true},
		{"all are slow", slow, 4 * mib, 4 * time.Second, 0, false},
		{"all are slow, this one more", slow, 1 * mib, 4 * time.Second, 0, true},
		{"nothing to compare with", Pace{}, 0, time.Hour, time.Hour, false},
		{"complete", usual, 8 * mib, time.Hour, 0, false},
	} {
		now := time.Now()
		r := Range{Length: 8 * mib, Written: c.written, Again: 8*mib - c.written, Begun: now.Add(-c.age), Heard: now.Add(-c.quiet)}
		if got := c.pace.Slow(r, now); got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
}

// Where what a connection has brought could not be kept, that counts for it.
func TestSlowByWhatIsToBeFetchedAgain(t *testing.T) {
	var p Pace
	p.Add(8, time.Second)
	now := time.Now()
	r := Range{Length: 8, Written: 6, Begun: now.Add(-6 * time.Second), Heard: now} // two seconds more
	for again, want := range map[int64]bool{2: true, 8: false} {
		if r.Again = again; p.Slow(r, now) != want {
			t.Errorf("with %d bytes to be fetched again: got %v, want %v", again, !want, want)
		}
	}
}

func TestSetLeast(t *testing.T) {
	var p Pace
	p.Add(1, time.Nanosecond)
	now := time.Now()
	r := Range{Length: 2, Written: 1, Again: 1, Begun: now.Add(-100 * time.Millisecond), Heard: now}
	if p.Slow(r, now) {
		t.Error("a tenth of a second is too long already")
	}
	restore := SetLeast(50 * time.Millisecond)
	if !p.Slow(r, now) {
		t.Error("SetLeast has set nothing")
	}
	restore()
	if p.Slow(r, now) {
		t.Error("restore has put back nothing")
	}
}
