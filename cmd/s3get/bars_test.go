package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Each complete file has a bar that ends full, and so has the total.
func TestBars(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "a-name-that-is-longer-than-a-bar-has-room-for.mp4", s3test.PatternBytes(1, 3<<20))
	origin.Put("b", "k", s3test.PatternBytes(1, 1<<20))
	a, err := parse([]string{
		"--endpoint", origin.URL(), "--workers", "2", "-d", dir,
		"s3://b/a-name-that-is-longer-than-a-bar-has-room-for.mp4", "s3://b/k", "s3://b/missing",
	})
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if status, err := runBars(t.Context(), a, lines{stdout: &stdout, stderr: &stderr}); status != 1 || err != nil {
		t.Errorf("got status %d, %v, want 1", status, err)
	}
	wantText(t, "stdout", stdout.String(),
		"…than-a-bar-has-room-for.mp4", "3.0 MiB of 3.0 MiB", "k ", "1.0 MiB of 1.0 MiB",
		"total", "4.0 MiB of 4.0 MiB", "2 objects, 4.0 MiB in ", "; 1 failed")
	wantText(t, "stderr", stderr.String(), "s3get: s3://b/missing: there is no such object")
}

// close does not hang if there was nothing to show, for example because the directory cannot be
// created.
func TestBarsWithoutFiles(t *testing.T) {
	leak.Check(t)
	var stdout bytes.Buffer
	newBars(lines{stdout: &stdout, stderr: &stdout}, false).close(&tally{}, time.Second)
	wantText(t, "stdout", stdout.String(), "0 objects, 0 B in 1.0 s")
}

var _ view = (*bars)(nil)

func TestSentence(t *testing.T) {
	leak.Check(t)
	all := &tally{done: 3, failed: 2, canceled: 1, unchanged: 4, bytes: 3 << 30, verified: map[string]int64{"CRC32 full object": 2, "": 1}}
	want := "3 objects, 3.0 GiB in 2.0 s (1.5 GiB/s); 4 unchanged; 2 failed; 1 canceled; verified: 2 by CRC32 full object, 1 not"
	if got := all.sentence(2 * time.Second); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for resumed, want := range map[int64]string{
		1 << 30: "1 object, 3.0 GiB in 2.0 s (1.0 GiB/s); 1.0 GiB kept from earlier runs",
		3 << 30: "1 object, 3.0 GiB in 2.0 s; 3.0 GiB kept from earlier runs",
	} {
		all := &tally{done: 1, bytes: 3 << 30, resumed: resumed}
		if got := all.sentence(2 * time.Second); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Ctrl-C, which the terminal echoes as ^C, does not spoil a line.
func TestBarsEcho(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "first", s3test.PatternBytes(1, 1<<20))
	origin.Put("b", "second", s3test.PatternBytes(1, 1<<20))
	a, err := parse([]string{"--endpoint", origin.URL(), "--workers", "2", "-d", dir, "s3://b/first", "s3://b/second"})
	if err != nil {
		t.Fatal(err)
	}
	screen := &terminal{echo: "^C"}
	if status, err := runBars(t.Context(), a, lines{stdout: screen, stderr: screen}); status != 0 || err != nil {
		t.Errorf("got status %d, %v, want 0", status, err)
	}
	got := screen.lines()
	for i, want := range []string{"first  ", "second  ", "total  ", "2 objects, 2.0 MiB in "} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) || strings.Contains(got[i], "^C") {
			t.Errorf("line %d: got %q, want it to begin with %q", i, got, want)
		}
	}
}

// A name is cut by the columns that it takes.
func TestEnding(t *testing.T) {
	leak.Check(t)
	for name, want := range map[string]string{
		"": "", "12345678": "12345678", "123456789": "…3456789", "日本日本": "日本日本", "日本日本語": "… 日本語",
	} {
		if got := ending(name, 8); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// The names leave room for the sizes, however narrow the terminal is.
func TestBarsWidths(t *testing.T) {
	leak.Check(t)
	for columns, want := range map[int]int{200: 28, 58: 28, 57: 27, 45: 15, 44: 27, 40: 23, 25: 8, 5: 8} {
		if got := nameWidth(columns); got != want {
			t.Errorf("%d columns: got a name of %d, want %d", columns, got, want)
		}
	}
	s := decor.Statistics{AvailableWidth: 24, Current: 1 << 20, Total: 3 << 20}
	if got, want := sizes(s), "      1.0 MiB of 3.0 MiB"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.AvailableWidth = 15
	if got, want := sizes(s), "    1.0 MiB"; got != want {
		t.Errorf("narrow: got %q, want %q", got, want)
	}
}

// A redraw does not wait for the lock of the files, whose holder may wait for a redraw.
func TestBarsRedraw(t *testing.T) {
	leak.Check(t)
	redraws := make(redraws, 1)
	b := newBars(lines{stdout: redraws, stderr: redraws}, true, mpb.WithAutoRefresh())
	b.whole(func() status { return status{} })
	b.mu.Lock()
	for range 3 {
		select {
		case <-redraws:
		case <-time.After(patience):
			t.Fatal("nothing is drawn while the files are locked")
		}
	}
	b.mu.Unlock()
	b.close(&tally{}, time.Second)
}

// redraws is told of each write.
type redraws chan bool

func (r redraws) Write(p []byte) (int, error) {
	select {
	case r <- true:
	default:
	}
	return len(p), nil
}
