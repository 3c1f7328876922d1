package e2e_test

import (
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
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

// The program of README.md compiles: its main is Example in example_test.go, and its imports are
// that file's.
func TestReadmeProgram(t *testing.T) {
	found := pieces(read(t, "README.md"))
	if len(found) != 1 {
		t.Fatalf("got %d pieces of Go in README.md, want 1", len(found))
	}
	program := found[0]
	file, err := parser.ParseFile(token.NewFileSet(), "README.md", program, parser.AllErrors)
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(program, "func main() {\n")
	example := read(t, "example_test.go")
	if body == "" || !strings.Contains(flat(example), "func Example() {\n"+flat(body)) {
		t.Errorf("not the body of Example in example_test.go:\n%s", body)
	}
	if file.Name.Name != "main" {
		t.Errorf("got package %s, want main", file.Name.Name)
	}
	imported := map[string]bool{}
	for _, i := range file.Imports {
		imported[i.Path.Value] = true
	}
	all, err := parser.ParseFile(token.NewFileSet(), "example_test.go", example, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all.Imports {
		name := path.Base(strings.Trim(i.Path.Value, `"`))
		used := regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(program)
		if used != imported[i.Path.Value] {
			t.Errorf("the program uses %s: %v, and imports it: %v", name, used, imported[i.Path.Value])
		}
		delete(imported, i.Path.Value)
	}
	if len(imported) > 0 {
		t.Errorf("example_test.go does not import %v", imported)
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
