package tree

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
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
		{"a/b", "ab", false},
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
	tree.alike = true
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

	tree.alike = false
	if _, err := tree.Place("a2"); err != nil {
		t.Errorf("names not alike: %v", err)
	}
}

// On a file system that distinguishes the names, Made records nothing.
func TestNotAlike(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("this file system may take names for one")
	}
	leak.Check(t)
	dir := base(t)
	write(t, filepath.Join(dir, "A"))
	tree := open(t, dir)
	if tree.alike {
		t.Skip("this file system takes names for one")
	}
	tree.Made("A")
	if len(tree.made) != 0 || tree.Skeleton("A") == tree.Skeleton("a") {
		t.Errorf("got %d files remembered, skeletons %q, %q", len(tree.made), tree.Skeleton("A"), tree.Skeleton("a"))
	}
}
