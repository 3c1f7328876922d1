package transfer

import (
	"testing"
	"time"
)

func TestSlow(t *testing.T) {
	const mib = 1 << 20
	var usual pace // 8 MiB/s
	usual.add(8*mib, 500*time.Millisecond)
	usual.add(8*mib, 1500*time.Millisecond)
	var slow pace // 1 MiB/s
	slow.add(8*mib, 8*time.Second)
	for _, c := range []struct {
		what    string
		pace    pace
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
		{"nothing to compare with", pace{}, 0, time.Hour, time.Hour, false},
		{"complete", usual, 8 * mib, time.Hour, 0, false},
	} {
		now := time.Now()
		r := underway{length: 8 * mib, written: c.written, again: 8*mib - c.written, begun: now.Add(-c.age), heard: now.Add(-c.quiet)}
		if got := c.pace.slow(r, now, 0); got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
}

// Where what a connection has brought could not be kept, that counts for it.
func TestSlowByWhatIsToBeFetchedAgain(t *testing.T) {
	var p pace
	p.add(8, time.Second)
	now := time.Now()
	r := underway{length: 8, written: 6, begun: now.Add(-6 * time.Second), heard: now} // two seconds more
	for again, want := range map[int64]bool{2: true, 8: false} {
		if r.again = again; p.slow(r, now, 0) != want {
			t.Errorf("with %d bytes to be fetched again: got %v, want %v", again, !want, want)
		}
	}
}

func TestSlowLeast(t *testing.T) {
	var p pace
	p.add(1, time.Nanosecond)
	now := time.Now()
	r := underway{length: 2, written: 1, again: 1, begun: now.Add(-100 * time.Millisecond), heard: now}
	for least, want := range map[time.Duration]bool{0: false, 50 * time.Millisecond: true, time.Second: false} {
		if got := p.slow(r, now, least); got != want {
			t.Errorf("least %v: got %v, want %v", least, got, want)
		}
	}
}

// What a limit of the rate explains is not slow; silence is, as soon as the limit does not explain it.
func TestSlowUnderALimit(t *testing.T) {
	const mib = 1 << 20
	var p pace // 8 MiB/s, before there was a limit
	p.add(8*mib, time.Second)
	for _, c := range []struct {
		what    string
		limited bool
		rate    int64
		age     time.Duration
		quiet   time.Duration
		want    bool
	}{
		{"no limit", false, 0, 4 * time.Second, 0, true},
		{"a limit", true, mib, 4 * time.Second, 0, false},
		{"a limit that is gone", true, 0, 4 * time.Second, 0, false},
		{"silent since a limit is gone", true, 0, 4 * time.Second, 3 * time.Second, true},
		{"silent under a limit", true, mib, 40 * time.Second, 20 * time.Second, false},
		{"silent under a limit for long", true, mib, 40 * time.Second, 30 * time.Second, true},
		{"under a very low limit", true, 1000, time.Hour, time.Minute, false},
	} {
		now := time.Now()
		r := underway{length: 8 * mib, written: mib, again: 7 * mib, begun: now.Add(-c.age), heard: now.Add(-c.quiet), limited: c.limited, rate: c.rate}
		if got := p.slow(r, now, 0); got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
	r := underway{length: 8 * mib, written: 8*mib - 1, again: 1, limited: true, rate: 1000}
	now := time.Now()
	r.begun, r.heard = now.Add(-time.Hour), now.Add(-4*time.Second)
	if p.slow(r, now, 0) {
		t.Error("a range at its end is slow, although its worker collects a page before it writes")
	}
}
