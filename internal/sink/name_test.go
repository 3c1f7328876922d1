package sink

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTemporaryName(t *testing.T) {
	const euro = "€" // three bytes
	for _, test := range []struct {
		name, base string
		limit      int
		want       string // before the dot
	}{
		{"short", "file.tar.gz", MaxName, "file.tar.gz"},
		{"length=246", strings.Repeat("n", 246), MaxName, strings.Repeat("n", 246)},
		{"length=247", strings.Repeat("n", 247), MaxName, strings.Repeat("n", 246)},
		{"length=255", strings.Repeat("n", 255), MaxName, strings.Repeat("n", 246)},
		{"length=255, limit=140", strings.Repeat("n", 255), maxShortName, strings.Repeat("n", 131)},
		{"length=131, limit=140", strings.Repeat("n", 131), maxShortName, strings.Repeat("n", 131)},
		{"82 characters fit", strings.Repeat(euro, 85), MaxName, strings.Repeat(euro, 82)},
		{"the last one half out", "n" + strings.Repeat(euro, 84), MaxName, "n" + strings.Repeat(euro, 81)},
		{"the last one two thirds out", "nn" + strings.Repeat(euro, 84), MaxName, "nn" + strings.Repeat(euro, 81)},
		{"four bytes", "nnn" + strings.Repeat("𝄞", 63), MaxName, "nnn" + strings.Repeat("𝄞", 60)},
		{"no UTF-8", strings.Repeat("\x80", 255), MaxName, strings.Repeat("\x80", 246)},
	} {
		t.Run(test.name, func(t *testing.T) {
			target := Target{path: filepath.Join("dir", test.base)}
			dir, got := filepath.Split(target.temporaryName(test.limit))
			base, digits := got[:len(got)-9], got[len(got)-9:]
			if dir != "dir"+string(filepath.Separator) || base != test.want {
				t.Errorf("got %q in %q (%d bytes), want %q (%d)", base, dir, len(base), test.want, len(test.want))
			}
			if !regexp.MustCompile(`^\.[0-9a-f]{8}$`).MatchString(digits) {
				t.Errorf("got %q behind the name", digits)
			}
			if !IsTemporary(got) {
				t.Errorf("IsTemporary(%q) is false", got)
			}
			if len(got) > test.limit {
				t.Errorf("%d bytes in all, more than %d", len(got), test.limit)
			}
		})
	}
	target := Target{path: "file"}
	if first, second := target.temporaryName(MaxName), target.temporaryName(MaxName); first == second {
		t.Errorf("%s was drawn twice", first)
	}
}

func FuzzShorten(f *testing.F) {
	f.Add("name", uint8(3))
	f.Add("€€€", uint8(8))
	f.Add("€", uint8(1))
	f.Add("\x80\x80\x80\x80\x80", uint8(4))
	f.Fuzz(func(t *testing.T, s string, limit uint8) {
		got := Shorten(s, int(limit))
		if len(got) > int(limit) || !strings.HasPrefix(s, got) {
			t.Errorf("got %q", got)
		}
		if len(got) < min(len(s), int(limit)-utf8.UTFMax+1) {
			t.Errorf("got %d bytes of %d, limit %d", len(got), len(s), limit)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("%q was cut inside a character: %q", s, got)
		}
	})
}
