package pool

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

// lines returns the lines that the writes log.
func lines(t *testing.T, writes ...string) (logged []string, tail string) {
	t.Helper()
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "line" {
			logged = append(logged, a.Value.String())
		}
		return a
	}}))
	s := &stderr{logger: logger}
	for _, p := range writes {
		if n, err := s.Write([]byte(p)); n != len(p) || err != nil {
			t.Errorf("wrote %d of %d bytes: %v", n, len(p), err)
		}
	}
	s.flush()
	return logged, s.tail()
}

func TestStderrLines(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	for _, c := range []struct {
		name   string
		writes []string
		want   []string
	}{
		{"nothing", nil, nil},
		{"one line", []string{"a\n"}, []string{"a"}},
		{"several", []string{"a\nb\n\nc\n"}, []string{"a", "b", "c"}},
		{"in pieces", []string{"a", "b", "c\nd", "\n"}, []string{"abc", "d"}},
		{"without end", []string{"a\nb"}, []string{"a", "b"}},
		{"of Windows", []string{"a\r\nb\r\n"}, []string{"a", "b"}},
		{"length=4096", []string{long + "\n"}, []string{long}},
		{"length=4096 and end apart", []string{long, "\n", "a\n"}, []string{long, "a"}},
		{"length=4097", []string{long + "y\n"}, []string{long, "y"}},
		{"length=12290", []string{long + long + long + "yz\na\n"}, []string{long, long, long, "yz", "a"}},
		{"length=12290 without end", []string{long + long + long + "yz"}, []string{long, long, long, "yz"}},
		{"length=8192 in pieces", []string{long[:4000], long[:4000], long[:192], "\n"}, []string{long, long}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := lines(t, c.writes...); !slices.Equal(got, c.want) {
				t.Errorf("got %.60q, want %.60q", got, c.want)
			}
		})
	}
}

func TestStderrTail(t *testing.T) {
	var writes []string
	for i := range 1000 {
		writes = append(writes, fmt.Sprintf("line %d of many\n", i))
	}
	_, tail := lines(t, writes...)
	if len(tail) > maxTail || len(tail) < maxTail/2 || !strings.HasSuffix(tail, "\nline 999 of many") {
		t.Errorf("got %d bytes that end with %.40q", len(tail), tail[max(0, len(tail)-40):])
	}
	if _, tail := lines(t, strings.Repeat("z", 10*maxTail)); tail != strings.Repeat("z", maxTail) {
		t.Errorf("one write: got %d bytes", len(tail))
	}
	if _, tail := lines(t, "\n  words \n\n"); tail != "words" {
		t.Errorf("got %q", tail)
	}
}
