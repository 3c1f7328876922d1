package pool

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// A worker that writes without end fills the log with a burst, and then with so much a second. The
// log says how much is not in it, and the worker's last words are known.
func TestStderrWithoutEnd(t *testing.T) {
	for name, line := range map[string]string{
		"long lines":  strings.Repeat("x", 1000) + "\n",
		"short lines": "x\n",
		"empty lines": "\n",
		"one line":    strings.Repeat("x", 1000),
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			clock := time.Unix(1, 0)
			s := &stderr{logger: slog.New(slog.NewTextHandler(&log, nil))}
			s.mu.allowed.now = func() time.Time { return clock }
			most := burst
			write := func() {
				for range 8 {
					s.Write([]byte(strings.Repeat(line, 64<<10/len(line))))
				}
				// The record's own words are about perRecord.
				if got := log.Len(); got > most*3/2 {
					t.Fatalf("got %d bytes of log, want %d or less", got, most)
				}
			}
			write()
			for range 3 {
				clock = clock.Add(time.Second)
				most += perSecond
				write()
			}
			s.Write([]byte("\nlast words\n"))
			s.flush()
			if name != "empty lines" && strings.Count(log.String(), "a part of it is not logged") < 3 {
				t.Errorf("the log does not say what is missing: %.2000s", log.String())
			}
			if got := s.words(); !strings.HasSuffix(got, "last words") {
				t.Errorf("got %q", got)
			}
		})
	}
}
