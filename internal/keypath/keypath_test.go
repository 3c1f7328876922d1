package keypath_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/keypath"
	"github.com/s3processpool/processpool/internal/test/leak"
)

func TestBase(t *testing.T) {
	leak.Check(t)
	for prefix, want := range map[string]string{
		"": "", "a": "", "a/": "a/", "a/b": "a/", "a/b/": "a/b/", "/": "/", "a//b": "a//",
	} {
		if got := keypath.Base(prefix); got != want {
			t.Errorf("prefix=%q: got %q, want %q", prefix, got, want)
		}
	}
}

func TestOf(t *testing.T) {
	leak.Check(t)
	for _, c := range []struct {
		rest string
		name string // "" = refused
		dir  bool
		on   string // "" = everywhere
	}{
		{"", ".", true, ""},
		{"a", "a", false, ""},
		{"a/b/c", "a/b/c", false, ""},
		{"a/", "a", true, ""},
		{"a/b/", "a/b", true, ""},
		{"..a/b..c/...", "..a/b..c/...", false, "unix"},
		{".a", ".a", false, ""},
		{"a b+ü\u2028日", "a b+ü\u2028日", false, ""},
		{"~/-rf", "~/-rf", false, ""},

		{"/", "", false, ""},
		{"/a", "", false, ""},
		{"//a", "", false, ""},
		{"a//b", "", false, ""},
		{"a//", "", false, ""},
		{".", "", false, ""},
		{"..", "", false, ""},
		{"../a", "", false, ""},
		{"a/../b", "", false, ""},
		{"a/..", "", false, ""},
		{"a/../", "", false, ""},
		{"./a", "", false, ""},
		{"a/./b", "", false, ""},
		{"a\x00b", "", false, ""},

		{`a\b`, `a\b`, false, "unix"},
		{`..\a`, `..\a`, false, "unix"},
		{`C:\a`, `C:\a`, false, "unix"},
		{"a:b", "a:b", false, "unix"},
		{"a\x01", "a\x01", false, "unix"},
		{"NUL", "NUL", false, "unix"},
		{"dir/", "dir", true, "windows"},
		{`a\b`, "", false, "windows"},
		{`..\a`, "", false, "windows"},
		{"C:/a", "", false, "windows"},
		{"a:stream", "", false, "windows"},
		{"a?", "", false, "windows"},
		{"a\x1f", "", false, "windows"},
		{"a.", "", false, "windows"},
		{"a ", "", false, "windows"},
		{"a./b", "", false, "windows"},
		{"NUL", "", false, "windows"},
		{"nul.txt", "", false, "windows"},
		{"a/com1/b", "", false, "windows"},
		{"Com1 .tar.gz", "", false, "windows"},
		{"LPT³", "", false, "windows"},
		{"conout$", "", false, "windows"},
		{"COM10", "COM10", false, "windows"},
		{"nullify", "nullify", false, "windows"},
	} {
		for _, windows := range []bool{false, true} {
			if c.on == "unix" && windows || c.on == "windows" && !windows {
				continue
			}
			got, err := keypath.Of(c.rest, windows)
			if c.name == "" {
				if !errors.Is(err, keypath.ErrUnsafe) {
					t.Errorf("rest=%q windows=%v: got %+v, %v, want ErrUnsafe", c.rest, windows, got, err)
				}
				continue
			}
			if want := (keypath.Path{Name: c.name, Dir: c.dir}); got != want || err != nil {
				t.Errorf("rest=%q windows=%v: got %+v, %v, want %+v", c.rest, windows, got, err, want)
			}
		}
	}
}

func TestAncestors(t *testing.T) {
	leak.Check(t)
	for name, want := range map[string][]string{"a": nil, "a/b": {"a"}, "a/b/c": {"a", "a/b"}} {
		if got := slices.Collect(keypath.Ancestors(name)); !slices.Equal(got, want) {
			t.Errorf("name=%q: got %q, want %q", name, got, want)
		}
	}
}

// FuzzOf checks that an accepted path stays below the directory and determines its key.
func FuzzOf(f *testing.F) {
	for _, rest := range []string{"", "a/b", "../a", "a//b", "/a", "a/", `a\b`, "a:b", "NUL", "a\x00", "\xff"} {
		f.Add(rest)
	}
	f.Fuzz(func(t *testing.T, rest string) {
		for _, windows := range []bool{false, true} {
			p, err := keypath.Of(rest, windows)
			if err != nil {
				continue
			}
			key := p.Name
			if p.Dir {
				key += "/"
			}
			if rest != "" && key != rest {
				t.Fatalf("windows=%v: %q became %+v", windows, rest, p)
			}
			if !filepath.IsLocal(p.Name) || strings.ContainsRune(p.Name, 0) || filepath.ToSlash(filepath.Clean(p.Name)) != p.Name {
				t.Fatalf("windows=%v: %q is %s, which is not local", windows, rest, fmt.Sprintf("%+v", p))
			}
		}
	})
}
