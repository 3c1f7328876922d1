package e2e_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
)

// The Go code of a document compiles: all of it is in a file of Go.
func TestDocuments(t *testing.T) {
	for _, c := range []struct {
		document, code string
		pieces         int
	}{
		{"docs/porting.md", "example_test.go", 9},
		{"docs/testing.md", "internal/test/docs/testing_test.go", 8},
	} {
		compiled := flat(read(t, c.code))
		found := pieces(read(t, c.document))
		if len(found) < c.pieces {
			t.Errorf("%s: got %d pieces of Go, want %d or more", c.document, len(found), c.pieces)
		}
		for _, piece := range found {
			if !strings.Contains(compiled, flat(piece)) {
				t.Errorf("%s: not in %s:\n%s", c.document, c.code, piece)
			}
		}
	}
}

// docs/options.md has a row for each option of a download.
func TestOptionsDocument(t *testing.T) {
	var rows strings.Builder
	for line := range strings.Lines(read(t, "docs/options.md")) {
		if row, ok := strings.CutPrefix(line, "| "); ok {
			cell, _, _ := strings.Cut(row, " |")
			rows.WriteString(cell)
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[processpool.DownloadOptions]()) {
		if !strings.Contains(rows.String(), "`"+f.Name+"`") {
			t.Errorf("no row of %s", f.Name)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.ModuleRoot(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// pieces returns the pieces of Go in a document.
func pieces(document string) (pieces []string) {
	for i, text := range strings.Split(document, "```go\n") {
		if code, _, ended := strings.Cut(text, "```"); i > 0 && ended {
			pieces = append(pieces, code)
		}
	}
	return pieces
}

// flat removes the indentation from code.
func flat(code string) string {
	var lines []string
	for line := range strings.Lines(code) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}
