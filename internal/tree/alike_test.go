package tree

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/s3processpool/processpool/internal/keypath"
	"github.com/s3processpool/processpool/internal/test/leak"
)

func TestSkeleton(t *testing.T) {
	leak.Check(t)
	for _, c := range []struct {
		name, other string
		same        bool
	}{
		{"a", "A", true},
		{"Dir/File.TXT", "dir/file.txt", true},
		{"caf\u00e9", "cafe\u0301", true},
		{"CAF\u00c9", "cafe\u0301", true},
		{"\u00f6/b", "O\u0308/B", true},
		{"\u304c", "\u304b\u3099", true},
		{"\ud55c", "\u1112\u1161\u11ab", true},
		{"a", "b", false},
		{"stra\u00dfe", "STRASSE", true},
		{"stra\u00dfe\u0301", "stras\u015b" + "e\u0301", false}, // the mark belongs to the e
		{"\u00df\u0301", "s\u015b", true},
		{"\ufb01le", "FILE", true},
		{"\u1e9b", "\u017f\u0307", true},
		{"\u212a", "k", true},
		{"e\u200d\u0301", "\u00e9", true},
		{"1\ufe0f\u20e3", "1\u20e3", true},
		{"a. .", "a", true},
		{".a.pa\u200drt.", ".a.part", true},
		{"a\xff", "a\xfe", true},
		{"cafe", "caf\u00e9", false},
		{"\u65e5\u672c1", "\u65e5\u672c2", false},
	} {
		if got := skeleton(c.name) == skeleton(c.other); got != c.same {
			t.Errorf("%q, %q: got %q, %q, want the same: %v", c.name, c.other, skeleton(c.name), skeleton(c.other), c.same)
		}
	}
}

// On a file system that equates "A" and "a", the file of one key does not replace that of the
// other. A hard link simulates the second name.
func TestPlaceOfAnotherSpelling(t *testing.T) {
	leak.Check(t)
	dir := base(t)
	tree := open(t, dir)
	write(t, filepath.Join(dir, "A"))
	write(t, filepath.Join(dir, "before"))
	tree.Made("A")
	if err := os.Link(filepath.Join(dir, "A"), filepath.Join(dir, "a2")); err != nil {
		t.Skip(err)
	}
	if got, err := tree.Place("a2"); !errors.Is(err, keypath.ErrUnsafe) {
		t.Errorf("a file made before: got %q, %v, want ErrUnsafe", got, err)
	}
	if _, err := tree.Place("before"); err != nil {
		t.Errorf("a file not made: %v", err)
	}
	if _, err := tree.Place("new"); err != nil {
		t.Errorf("no file: %v", err)
	}
}

// Each segment of a name is folded if its own directory folds. The field stands for a file system
// that does.
func TestSkeletonOfEachDirectory(t *testing.T) {
	leak.Check(t)
	dir := base(t)
	if err := os.MkdirAll(filepath.Join(dir, "Plain", "Fold", "Plain"), 0o777); err != nil {
		t.Fatal(err)
	}
	tree := open(t, dir)
	for name, folds := range map[string]bool{".": false, "Plain": false, "Plain/Fold": true, "Plain/Fold/Plain": false} {
		d := tree.directory(name)
		if !d.probed {
			t.Errorf("%s was not probed", name)
		}
		d.folds = folds
	}
	for _, c := range []struct {
		name, other string
		same        bool
	}{
		{"A", "a", false},
		{"Plain/A", "Plain/a", false},
		{"Plain/Fold/A", "Plain/Fold/a", true},
		{"Plain/Fold/A/B", "Plain/Fold/a/b", true}, // does not exist, and so would be like its parent
		{"Plain/Fold/Plain/A", "Plain/Fold/Plain/a", false},
	} {
		a, b := tree.Skeleton(c.name), tree.Skeleton(c.other)
		if (a == b) != c.same {
			t.Errorf("%s, %s: got %q, %q, want the same: %v", c.name, c.other, a, b, c.same)
		}
	}
	leak.Files(t, filepath.Join(dir, "Plain/Fold/Plain")) // nothing is left of the test directories
}

// Place finds out whether a new directory folds, and does not trust its parent.
func TestNewDirectoryIsProbed(t *testing.T) {
	leak.Check(t)
	tree := open(t, base(t))
	tree.directory(".").folds = true
	if tree.Skeleton("dir/A") != tree.Skeleton("dir/a") {
		t.Error("a directory that does not exist is not like its parent")
	}
	if _, err := tree.Place("dir/A"); err != nil {
		t.Fatal(err)
	}
	d := tree.directory("dir")
	if want := tree.folds("dir"); !d.probed || d.folds != want {
		t.Errorf("got %+v, want that it folds: %v", d, want)
	}
}

// A directory without room for the test directory may fold: names that differ by case wait for each
// other there.
func TestCannotProbe(t *testing.T) {
	leak.Check(t)
	dir := base(t)
	tree := open(t, dir)
	if err := os.Remove(dir); err != nil {
		t.Skip(err)
	}
	if !tree.folds(".") {
		t.Error("got false, want true")
	}
}

// Links within the directory give a file several names. All have one skeleton, and the file of one
// is not replaced by that of another.
func TestNamesByLink(t *testing.T) {
	leak.Check(t)
	dir := base(t)
	if err := os.MkdirAll(filepath.Join(dir, "dir", "below"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, old := range map[string]string{
		"in": "dir", "top": ".", "dir/up": "..", "infile": "dir/file", "second": "infile", "dir/upfile": "../in/file", "loop": "loop", "outside": "/tmp",
		"deep": "dir/below",
	} {
		symlink(t, old, filepath.Join(dir, name))
	}
	tree := open(t, dir)
	names := []string{"dir/file", "in/file", "top/dir/file", "dir/up/in/file", "infile", "second", "in/upfile"}
	for _, name := range names {
		if got, want := tree.Skeleton(name), tree.Skeleton(names[0]); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"loop", "outside", "deep/file", "dir/new"} {
		if got := tree.Skeleton(name); got == tree.Skeleton(names[0]) {
			t.Errorf("%s: got %q, that of another file", name, got)
		}
	}
	write(t, filepath.Join(dir, "dir", "file"))
	for _, name := range names {
		if _, err := tree.Place(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	tree.Made("in/file")
	for _, name := range names {
		if got, err := tree.Place(name); !errors.Is(err, keypath.ErrUnsafe) {
			t.Errorf("%s: got %q, %v, want ErrUnsafe", name, got, err)
		}
	}
}

// The tree forgets directories when there are many, and finds them again.
func TestManyDirectories(t *testing.T) {
	leak.Check(t)
	tree := open(t, base(t))
	want := tree.Skeleton("dir/file")
	for i := range maxDirs {
		tree.dirs["other "+strconv.Itoa(i)] = &directory{probed: true}
	}
	if got := tree.Skeleton("dir/file"); got != want || len(tree.dirs) > maxDirs {
		t.Errorf("got %q, want %q, and %d directories", got, want, len(tree.dirs))
	}
}
