package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/test/harness"
)

// The Go code of docs/porting.md compiles: all of it is in example_porting_test.go.
func TestPortingDocument(t *testing.T) {
	root := harness.ModuleRoot(t)
	document, err := os.ReadFile(filepath.Join(root, "docs", "porting.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile(filepath.Join(root, "example_porting_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	compiled, n := flat(string(examples)), 0
	for piece := range strings.SplitSeq(string(document), "```go\n") {
		code, _, ended := strings.Cut(piece, "```")
		if n++; n == 1 || !ended {
			continue // the text before the first piece
		}
		if !strings.Contains(compiled, flat(code)) {
			t.Errorf("not in example_porting_test.go:\n%s", code)
		}
	}
	if n < 10 {
		t.Errorf("got %d pieces of Go", n)
	}
}

// flat removes the indentation from code.
func flat(code string) string {
	var lines []string
	for line := range strings.Lines(code) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}
