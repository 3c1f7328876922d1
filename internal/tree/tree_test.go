package tree

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/keypath"
	"github.com/s3processpool/processpool/internal/test/leak"
)

func open(t *testing.T, dir string) *Tree {
	t.Helper()
	tree, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tree.Close() })
	return tree
}

func write(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(name, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
}

func symlink(t *testing.T, old, name string) {
	t.Helper()
	if err := os.Symlink(old, name); err != nil {
		t.Skip(err)
	}
}

// base returns a new directory, by its path without symbolic links.
func base(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOpenMakesDirectories(t *testing.T) {
	leak.Check(t)
	dir := base(t)
	tree := open(t, filepath.Join(dir, "a", "b"))

	got, err := tree.Place("c/d/file")
	if want := filepath.Join(dir, "a", "b", "c", "d", "file"); got != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	leak.Files(t, filepath.Join(dir, "a", "b"), "c") // Open has removed its test directory
	leak.Files(t, filepath.Join(dir, "a", "b", "c"), "d")
}

func TestOpenRefuses(t *testing.T) {
	leak.Check(t)
	dir := base(t)
	write(t, filepath.Join(dir, "file"))
	for _, name := range []string{"file", "file/below"} {
		if tree, err := Open(filepath.Join(dir, name)); err == nil {
			tree.Close()
			t.Errorf("%s: got no error", name)
		}
	}
}

// The directory itself may be reached through links.
func TestOpenThroughLink(t *testing.T) {
	leak.Check(t)
	dir := base(t)
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o777); err != nil {
		t.Fatal(err)
	}
	symlink(t, "real", filepath.Join(dir, "link"))
	tree := open(t, filepath.Join(dir, "link"))
	got, err := tree.Place("file")
	if want := filepath.Join(dir, "real", "file"); got != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestPlace(t *testing.T) {
	leak.Check(t)
	outside, dir := base(t), base(t)
	write(t, filepath.Join(outside, "secret"))
	write(t, filepath.Join(dir, "file"))
	if err := os.MkdirAll(filepath.Join(dir, "dir", "below"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, old := range map[string]string{
		"out":      outside,
		"outfile":  filepath.Join(outside, "secret"),
		"up":       "..",
		"dangling": filepath.Join(outside, "new"),
		"in":       "dir",
		"infile":   "file",
		"loop":     "loop",
	} {
		symlink(t, old, filepath.Join(dir, name))
	}
	tree := open(t, dir)
	for _, c := range []struct {
		name string
		path string // below dir; "" = refused
		want error
	}{
		{"new", "new", nil},
		{"file", "file", nil},
		{"dir/new", "dir/new", nil},
		{"dir/x/y/new", "dir/x/y/new", nil},
		{"in/new", "dir/new", nil},
		{"infile", "infile", nil}, // publishing the file follows the link

		{"out/new", "", keypath.ErrUnsafe},
		{"out/x/new", "", keypath.ErrUnsafe},
		{"outfile", "", keypath.ErrUnsafe},
		{"dangling", "", keypath.ErrUnsafe},
		{"up/new", "", keypath.ErrUnsafe},
		{"up/../new", "", keypath.ErrUnsafe},
		{"loop/new", "", syscall.ELOOP},
		{"file/new", "", keypath.ErrUnsafe},
		{"file/new", "", syscall.ENOTDIR},
		{"file/x/new", "", syscall.ENOTDIR},
		{"infile/new", "", syscall.ENOTDIR},
		{"dir", "", keypath.ErrUnsafe},
		{"dir", "", syscall.EISDIR},
		{"in", "", syscall.EISDIR},
		{"dir/below", "", syscall.EISDIR},
	} {
		got, err := tree.Place(c.name)
		if c.want != nil {
			if got != "" || !errors.Is(err, c.want) {
				t.Errorf("name=%s: got %q, %v, want %v", c.name, got, err, c.want)
			}
			continue
		}
		if want := filepath.Join(dir, filepath.FromSlash(c.path)); got != want || err != nil {
			t.Errorf("name=%s: got %q, %v, want %q", c.name, got, err, want)
		}
	}
	leak.Files(t, outside, "secret")
}

func TestMkdir(t *testing.T) {
	leak.Check(t)
	outside, dir := base(t), base(t)
	write(t, filepath.Join(dir, "file"))
	symlink(t, outside, filepath.Join(dir, "out"))
	tree := open(t, dir)
	for _, name := range []string{".", "a", "a/b/c", "a"} {
		if err := tree.Mkdir(name); err != nil {
			t.Errorf("name=%s: %v", name, err)
		}
	}
	for name, want := range map[string]error{
		"file": syscall.ENOTDIR, "file/a": syscall.ENOTDIR, "out": keypath.ErrUnsafe, "out/a": keypath.ErrUnsafe,
	} {
		if err := tree.Mkdir(name); !errors.Is(err, want) {
			t.Errorf("name=%s: got %v, want %v", name, err, want)
		}
	}
	leak.Files(t, outside)
}

// Place returns an error if the directory was moved or replaced.
func TestPlaceInReplacedDirectory(t *testing.T) {
	leak.Check(t)
	dir := base(t)
	name := filepath.Join(dir, "tree")
	tree := open(t, name)
	if err := os.Rename(name, filepath.Join(dir, "moved")); err != nil {
		t.Skip(err)
	}
	if got, err := tree.Place("file"); err == nil {
		t.Errorf("moved: got %q, want an error", got)
	}
	if err := os.Mkdir(name, 0o777); err != nil {
		t.Fatal(err)
	}
	if got, err := tree.Place("file"); err == nil {
		t.Errorf("replaced: got %q, want an error", got)
	}
}

func TestChtimes(t *testing.T) {
	leak.Check(t)
	dir := base(t)
	write(t, filepath.Join(dir, "file"))
	tree := open(t, dir)
	want := time.Date(2020, 2, 29, 12, 0, 0, 0, time.UTC)
	if err := tree.Chtimes("file", want); err != nil {
		t.Fatal(err)
	}
	info, err := tree.Stat("file")
	if err != nil || !info.ModTime().Equal(want) {
		t.Errorf("got %v, %v, want %v", info.ModTime(), err, want)
	}
	if err := tree.Chtimes("missing", want); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: got %v", err)
	}
}
