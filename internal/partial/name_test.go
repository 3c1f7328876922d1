package partial

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/s3processpool/processpool/internal/sink"
)

func TestPartialNames(t *testing.T) {
	seen := map[string]string{}
	for _, base := range []string{
		"a", ".a", "a.part", strings.Repeat("a", 241), strings.Repeat("a", 242), strings.Repeat("a", 255),
		strings.Repeat("a", 254) + "b", strings.Repeat("ü", 127), strings.Repeat("世", 85), strings.Repeat("\xff", 255),
	} {
		t.Run(fmt.Sprintf("%.10s,%d", base, len(base)), func(t *testing.T) {
			path := filepath.Join(string(filepath.Separator)+"dir", base)
			part, journal := filepath.Base(PartialName(path)), filepath.Base(JournalName(path))
			if len(journal) > sink.MaxName || utf8.ValidString(base) && !utf8.ValidString(journal) {
				t.Errorf("got %q of %d bytes", journal, len(journal))
			}
			if journal != part+".journal" || filepath.Dir(PartialName(path)) != filepath.Dir(path) {
				t.Errorf("got %q and %q, want names in one directory that differ by the suffix", part, journal)
			}
			if len(base) <= 241 && part != "."+base+".part" {
				t.Errorf("got %q, want the whole name", part)
			}
			if other, ok := seen[part]; ok {
				t.Errorf("%q and %q have the same partial file %q", base, other, part)
			}
			seen[part] = base
			if again := PartialName(path); filepath.Base(again) != part {
				t.Errorf("got %q the second time", again)
			}
			if !IsReserved(part) || !IsReserved(journal) {
				t.Errorf("%q or %q is not reserved", part, journal)
			}
		})
	}
}

func TestIsReserved(t *testing.T) {
	for base, want := range map[string]bool{
		".a.part":         true,
		".a.part.journal": true,
		".A.PART":         true,
		".a.Part.Journal": true,
		".part":           true,
		"a.part":          false,
		".a.parts":        false,
		".a.journal":      false,
		".a.part.journa":  false,
		"a":               false,
		"":                false,
	} {
		if got := IsReserved(base); got != want {
			t.Errorf("IsReserved(%q) = %t, want %t", base, got, want)
		}
	}
}
