package main

import (
	"bytes"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// tickNow has every clock of ticks tick when the returned function is called, which waits until
// the tick is taken.
func tickNow(t *testing.T) (tick func()) {
	ticks, former := make(chan time.Time), newTicker
	newTicker = func() (<-chan time.Time, func()) { return ticks, func() {} }
	t.Cleanup(func() { newTicker = former })
	return func() {
		select {
		case ticks <- time.Now():
		case <-time.After(patience):
			t.Error("nobody waits for a tick")
		}
	}
}

// Without a terminal there is a line from time to time, on standard error, and an event with --json.
func TestProgressLines(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 1000))
	for flag, want := range map[string]string{
		"--stat": "s3get: 0 objects, 0 B of 1000 B (0 %), 2 workers\n",
		"--json": `{"event":"progress","done":0,"bytes":0,"total":1000,"rate":0,"workers":2,"retries":0}`,
	} {
		tick := tickNow(t)
		fault := origin.Inject(s3test.Fault{Method: "GET", Key: "k", Times: 1, Do: func(*s3test.Server, s3test.Request) { tick(); tick() }})
		status, stdout, stderr := get(t, t.Context(), origin, flag, "--workers", "2", "s3://b/k", filepath.Join(dir, "file"))
		if status != 0 || fault.Hits() != 1 {
			t.Errorf("%s: got status %d", flag, status)
		}
		text := stderr
		if flag == "--json" {
			wantSchema(t, stdout)
			text = stdout
		}
		// A worker may still be starting.
		one := strings.NewReplacer("2 workers", "1 worker", `"workers":2`, `"workers":1`).Replace(want)
		if !strings.Contains(text, want) && !strings.Contains(text, one) {
			t.Errorf("%s: got %q, want %q", flag, text, want)
		}
	}
	var b bytes.Buffer
	quiet := &lines{stdout: &b, stderr: &b, quiet: true}
	quiet.whole(func() status { t.Error("asked"); return status{} })
	quiet.close(&tally{}, 0)
	if b.Len() > 0 {
		t.Errorf("quiet: got %q", &b)
	}
}

func TestPace(t *testing.T) {
	leak.Check(t)
	var p pace
	at := time.Now()
	if got := p.look(at, 0); got != 0 {
		t.Errorf("got %v before anything came", got)
	}
	if got := p.look(at.Add(time.Second), 1000); got != 1000 {
		t.Errorf("got %v, want the first rate", got)
	}
	p.look(at.Add(time.Second), 5000) // no time has passed
	for i := range 60 {
		p.look(at.Add(time.Duration(i+2)*time.Second), 1000+3000*int64(i+1))
	}
	if math.Abs(p.rate-3000) > 1 {
		t.Errorf("got %v, want 3000 after a minute", p.rate)
	}
	before := p.rate
	if got := p.look(p.at.Add(100*time.Millisecond), p.done); got > before || got < before*0.9 {
		t.Errorf("got %v after a pause of 100 ms, want a little less than %v", got, before)
	}
	if got := p.look(p.at.Add(time.Second), p.done-500); got < 0 {
		t.Errorf("got %v: bytes of a lost worker", got)
	}
}

func TestDetails(t *testing.T) {
	leak.Check(t)
	for want, c := range map[string]struct {
		s    status
		rate float64
	}{
		"":                                       {},
		"2.0 KiB/s, 5 s left, 1 worker":          {status{done: 2048, total: 12288, workers: 1}, 2048},
		"1.0 MiB/s, 1 min 40 s left, 4 workers":  {status{total: 100 << 20, workers: 4}, 1 << 20},
		"1.0 MiB/s, 10 workers, 1 retry":         {status{done: 5, total: 5, workers: 10, retries: 1}, 1 << 20},
		"1.0 KiB/s, 2 h 46 min left, 12 retries": {status{total: 10_000 << 10, retries: 12}, 1 << 10},
		"1 B/s, 11 d left":                       {status{total: 1e6}, 1},
	} {
		if got := c.s.details(c.rate); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
