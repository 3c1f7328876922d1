package harness

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// MiB is 2^20 bytes.
const MiB = 1 << 20

// Content is the content of a small object. Tests must not change it.
var Content = []byte("my content")

// WantContent fails the test unless the file holds want.
func WantContent(t *testing.T, filename string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(filename)
	if err != nil {
		t.Error(err)
		return
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got %d bytes that are not the %d of the object", filepath.Base(filename), len(got), len(want))
	}
}

// WantTree fails the test unless dir holds exactly these files and directories. The names have
// slashes as separators; those of directories end in one.
func WantTree(t *testing.T, dir string, want ...string) {
	t.Helper()
	got := []string{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		name, err = filepath.Rel(dir, name)
		name = filepath.ToSlash(name)
		if e.IsDir() {
			name += "/"
		}
		got = append(got, name)
		return err
	})
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("tree: got %q, %v, want %q", got, err, want)
	}
}

// Temporary returns the only temporary file in dir for the destination base.
func Temporary(t *testing.T, dir, base string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, base+".????????"))
	if err != nil || len(names) != 1 {
		t.Fatalf("temporary files of %s: got %q, %v, want one", base, names, err)
	}
	return names[0]
}

// ModuleRoot returns the directory of this module's go.mod.
func ModuleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		above := filepath.Dir(dir)
		if above == dir {
			t.Fatal("no go.mod above the working directory")
		}
		dir = above
	}
}

// Executable returns a file that looks like a program, for a test to remove once NewDownloader has
// found it.
func Executable(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(name, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}
