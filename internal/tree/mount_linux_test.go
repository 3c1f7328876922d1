package tree

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool/internal/test/disk"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// Each directory is asked, on file systems that answer differently.
func TestFolds(t *testing.T) {
	leak.Check(t)
	dir := base(t)
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	disk.Mount(t, filepath.Join(dir, "sub"), disk.Options{FoldBelow: "Fold"})
	if err := os.MkdirAll(filepath.Join(dir, "sub", "Fold", "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	tree := open(t, dir)
	for name, want := range map[string]bool{".": false, "sub": false, "sub/Fold": true, "sub/Fold/x": true, "sub/Fold/X": true} {
		if d := tree.directory(name); d.folds != want || !d.probed {
			t.Errorf("%s: got %+v, want that it folds: %v", name, d, want)
		}
		leak.Files(t, filepath.Join(dir, "sub", "Fold", "x"))
	}
	if tree.directory("sub/Fold/X") != tree.directory("sub/Fold/x") {
		t.Error("one directory is taken for two")
	}
}

// Files of two file systems may have one number.
func TestNumbersOfTwoFileSystems(t *testing.T) {
	leak.Check(t)
	dir := base(t)
	for _, name := range []string{"one", "two"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		disk.Mount(t, filepath.Join(dir, name), disk.Options{Fold: true})
		write(t, filepath.Join(dir, name, "file"))
	}
	tree := open(t, dir)
	tree.Made("one/file")
	if _, err := tree.Place("two/file"); err != nil {
		t.Error(err)
	}
}

// ext4 folds case in the directories that have the flag, and in those that are created below.
func TestExt4Folds(t *testing.T) {
	leak.Check(t)
	dir := base(t)
	disk.Ext4(t, dir, "casefold")
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	disk.Fold(t, filepath.Join(dir, "sub"))
	tree := open(t, dir)
	for name, same := range map[string]bool{"A": false, "sub/A": true, "sub/new/A": true} {
		if _, err := tree.Place(name); err != nil {
			t.Fatal(err)
		}
		other := filepath.ToSlash(filepath.Join(filepath.Dir(name), "a"))
		if got := tree.Skeleton(name) == tree.Skeleton(other); got != same {
			t.Errorf("%s, %s: got the same: %v, want %v", name, other, got, same)
		}
	}
}
