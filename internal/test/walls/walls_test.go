// Package walls holds the imports between the packages of this module to the table in
// docs/architecture.md: they go one way.
package walls

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module   = "github.com/s3processpool/processpool"
	internal = module + "/internal/"
	root     = "../../.."

	// The names in the table of the packages that are not below internal.
	rootName = "."
	testName = "processpooltest"
)

// layers lists, for each package, the packages of this module that it may import. A package comes
// after all that it may import, so that no import can lead back.
var layers = []struct{ name, imports string }{
	{"checksum", ""},
	{"failure", ""},
	{"fence", ""},
	{"flow", ""},
	{"keypath", ""},
	{"lowat", ""},
	{"osfile", ""},
	{"resolved", ""},
	{"settings", ""},
	{"spread", ""},
	{"environ", "fence osfile"},
	{"proof", "checksum failure"},
	{"tree", "keypath"},
	{"journal", "checksum failure osfile"},
	{"sink", "failure osfile"},
	{"partial", "checksum failure journal osfile proof sink"},
	{"ipc", "checksum failure proof settings"},
	{"pool", "checksum failure fence ipc proof settings"},
	{"answer", "checksum failure ipc proof"},
	{"fetch", "answer checksum failure ipc lowat proof settings spread"},
	{"worker", "checksum failure fetch ipc osfile"},
	{"reexec", "fence ipc worker"},
	{"dispatch", "failure flow ipc pool"},
	{"dispatch/fakecrew", "failure ipc pool"},
	{"transfer", "checksum dispatch failure ipc journal osfile partial proof sink"},
	{"walk", "dispatch failure ipc keypath partial transfer tree"},
	{rootName, "checksum dispatch environ failure fence ipc keypath partial pool reexec resolved settings sink transfer tree walk"},
	{"tool/ask", ""},
	{"tool/list", ""},
	{"tool/mark", ""},
	{"tool/show", ""},
	{"tool/digest", rootName + " checksum"},
	{"test/s3test", ""},
	{testName, rootName + " resolved test/s3test"},
}

// The library imports nothing of the module but what the table allows, and the table has no way
// back.
func TestImports(t *testing.T) {
	allowed := map[string][]string{}
	for _, l := range layers {
		imports := strings.Fields(l.imports)
		for _, name := range imports {
			if _, above := allowed[name]; !above {
				t.Errorf("%s may import %s, which is not before it in the table", l.name, name)
			}
		}
		allowed[l.name] = imports
	}
	seen := map[string]bool{}
	for file, imports := range sources(t) {
		name := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file)), "internal/")
		seen[name] = true
		may, known := allowed[name]
		if !known {
			t.Errorf("%s: its package is not in the table", file)
		}
		for _, path := range imports {
			if imported, ours := local(path); ours && !slices.Contains(may, imported) {
				t.Errorf("%s imports %s, and must not", file, path)
			}
		}
	}
	for name := range maps.Keys(allowed) {
		if !seen[name] {
			t.Errorf("%q is in the table, and is no package", name)
		}
	}
}

// sources returns the imports of each file of the library and of processpooltest, for whatever
// platform, without their tests. It reads the files itself, so that the go command runs this test
// again when one has changed.
func sources(t *testing.T) map[string][]string {
	files := map[string][]string{}
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			test := strings.HasPrefix(path, "internal/test/") && path != "internal/test/s3test"
			if test || slices.Contains([]string{".git", "bench", "cmd", "docs", "examples", "fleet", "testdata"}, path) || d.Name() == "testdata" {
				return fs.SkipDir
			}
			return nil
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ImportsOnly)
		if err != nil {
			return err
		}
		files[path] = nil
		for _, i := range file.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			files[path] = append(files[path], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// local returns the name that a package has in the table.
func local(path string) (name string, ok bool) {
	if path == module {
		return rootName, true
	}
	if name, ok = strings.CutPrefix(path, internal); ok {
		return name, true
	}
	return strings.CutPrefix(path, module+"/")
}

// The library pulls no test package, and not the package testing, into programs.
func TestNoTestCode(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", module).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for path := range strings.Lines(string(out)) {
		if path = strings.TrimSpace(path); path == "testing" || strings.HasPrefix(path, internal+"test/") || strings.HasSuffix(path, "/fakecrew") {
			t.Errorf("the library depends on %s", path)
		}
	}
}

// Only tests import processpooltest: not the examples, the tools, or other test packages.
func TestTestPackage(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); slices.Contains(fields[1:], module+"/"+testName) {
			t.Errorf("%s imports %s", fields[0], testName)
		}
	}
}

// Each example teaches one point, in fewer than 100 lines of Go.
func TestExamplesAreSmall(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "examples", "*", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	lines := map[string]int{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines[filepath.Base(filepath.Dir(file))] += strings.Count(string(text), "\n")
	}
	for name, n := range lines {
		if n >= 100 {
			t.Errorf("examples/%s has %d lines, want fewer than 100", name, n)
		}
	}
}
