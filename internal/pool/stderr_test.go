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
func lines(t *testing.T, writes ...string) (logged []string, words string) {
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
	return logged, s.words()
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

// ends is how the words of a worker without a crash begin.
const ends = "its standard error ends with: "

func TestStderrTail(t *testing.T) {
	var writes []string
	for i := range 1000 {
		writes = append(writes, fmt.Sprintf("line %d of many\n", i))
	}
	for _, c := range []struct {
		name   string
		writes []string
		want   string
	}{
		{"nothing", nil, ""},
		{"blanks", []string{"\n  \n"}, ""},
		{"one line", []string{"\n  words \n\n"}, ends + "words"},
		{"all of it", []string{strings.Repeat("z", maxTail)}, ends + strings.Repeat("z", maxTail)},
		{"one line too long", []string{strings.Repeat("z", 10*maxTail)}, ends + "..." + strings.Repeat("z", maxTail)},
		{"two lines too long", []string{strings.Repeat("z", 10*maxTail), "\nwords\n"}, ends + "words"},
		{"between characters", []string{strings.Repeat("€", maxTail)}, ends + "..." + strings.Repeat("€", maxTail/3)},
		{"unprintable", []string{"a \x1b[2Jkey \xff\t\x00\n"}, ends + `a \x1b[2Jkey \xff` + "\t" + `\x00`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, got := lines(t, c.writes...); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	_, words := lines(t, writes...)
	if n := len(words); n > maxTail+len(ends) || n < maxTail/2 || !strings.HasSuffix(words, "\nline 999 of many") ||
		!strings.HasPrefix(words, ends+"line ") {
		t.Errorf("got %d bytes: %q", n, words)
	}
}
