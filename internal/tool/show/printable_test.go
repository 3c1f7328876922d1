package show

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	for _, s := range []string{
		"a\x1b[2Jb", "a\x9b2Jb", "a\u009b2Jb", "a\ns3get: all is well", "a\rb", "a\x7fb", "a\ab", "a\b\bb", "a\u202eb", "a\u2028b", "a\U000e0041b",
	} {
		if got := Printable(s); !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q: got %q", s, got)
		}
	}
	for _, s := range []string{"", "a b", "ü日本", `a"b\c`} {
		if got := Printable(s); got != s {
			t.Errorf("got %q, want %q", got, s)
		}
	}
}
