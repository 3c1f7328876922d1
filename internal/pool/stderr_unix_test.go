//go:build unix

package pool

import (
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
)

func TestStderrLongLine(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "a long line")
	err := next[Broken](c).Err
	if n := strings.Count(err.Error(), "x"); n < maxTail || n > maxTail+100 { // the program's name and "exit" may have some
		t.Errorf("got %d bytes of it in the error, want the last %d", n, maxTail)
	}
	total := 0
	for _, e := range c.journal.with("worker's standard error") {
		line := e.attrs["line"].String()
		if len(line) > maxLine || strings.Trim(line, "x") != "" {
			t.Errorf("got a piece of %d bytes: %.40q", len(line), line)
		}
		total += len(line)
	}
	if want := startTries * 100_000; total != want { // less than a burst of each worker
		t.Errorf("got %d bytes in the log, want %d", total, want)
	}
}

// TestStderrFlood: 2 MB of lines do not hold up the worker. The log has the first of them, and how
// many it does not have.
func TestStderrFlood(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "a flood")
	w := next[Up](c).Worker
	c.end()
	logged := c.journal.with("worker's standard error")
	missing := int64(0)
	for _, e := range c.journal.with("worker's standard error is too long: a part of it is not logged") {
		missing += e.attrs["lines"].Int64()
	}
	if len(logged)+int(missing) != 20_000 || len(logged) < 1000 || missing == 0 {
		t.Errorf("got %d lines and %d that are missing, want 20000", len(logged), missing)
	}
	for _, e := range logged {
		if pid := e.attrs["worker"].Int64(); pid != int64(w.PID()) {
			t.Fatalf("got a line of pid %d, want %d", pid, w.PID())
		}
	}
}

func TestStandardOutputIsNotTheProtocol(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "print to standard output")
	next[Up](c)
	if last := c.end(); len(last) != 1 {
		t.Errorf("got %v, want a Down", last)
	}
}
