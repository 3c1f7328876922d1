package faults_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/disk"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// Whether two keys have one file depends on the directory that holds it. One of them is refused,
// and the other's file is whole.
func TestKeysOfOneFile(t *testing.T) {
	mount := func(name string, o disk.Options) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.MkdirAll(filepath.Join(dir, name), 0o777); err != nil {
				t.Fatal(err)
			}
			disk.Mount(t, filepath.Join(dir, name), o)
		}
	}
	fold := disk.Options{Fold: true}
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, dir string)
		keys    []string
		refused []string // one of each group, which is separated by spaces
	}{
		{"the directory itself", mount(".", fold), []string{"A", "a", "b", "d/x", "D/X"}, []string{"A a", "D/X d/x"}},
		{"a mount below", mount("sub", fold), []string{"A", "a", "sub/A", "sub/a", "sub/b", "SUB/a"}, []string{"sub/A sub/a"}},
		{"a mount further below", mount("x/sub", fold), []string{"x/A", "x/a", "x/sub/y/A", "x/sub/Y/a"}, []string{"x/sub/y/A x/sub/Y/a"}},
		{"one directory", mount(".", disk.Options{FoldBelow: "f"}), []string{"A", "a", "f/A", "f/a", "g/A", "g/a", "f/g/A", "f/G/a"},
			[]string{"f/A f/a", "f/g/A f/G/a"}},
		{"a new directory folds", mount(".", disk.Options{FoldBelow: "f"}), []string{"f/new/A", "f/new/a"}, []string{"f/new/A f/new/a"}},
		{"a mount below distinguishes", func(t *testing.T, dir string) {
			mount(".", fold)(t, dir)
			for _, name := range []string{"one", "two"} { // files of both have the same inode numbers
				if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
					t.Fatal(err)
				}
				disk.Tmpfs(t, filepath.Join(dir, name), "size=1m")
			}
		}, []string{"A", "one/A", "one/a", "two/A", "two/a"}, nil},
		{"a link to a directory", func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "real"), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("real", filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
		}, []string{"link/k", "real/k", "real/l", "link/m"}, []string{"link/k real/k"}},
		{"a link to a file", func(t *testing.T, dir string) {
			if err := os.Symlink("k", filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
		}, []string{"k", "link", "l"}, []string{"k link"}},
		{"nothing", func(*testing.T, string) {}, []string{"A", "a", "d/A", "D/A", "D/a"}, nil},
	} {
		for _, kept := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				leak.Check(t)
				origin, dir := harness.StartOrigin(t), t.TempDir()
				c.prepare(t, dir)
				for _, key := range c.keys {
					origin.Put("b", key, []byte("content of "+key))
				}
				d := harness.NewDownloader(t, origin)
				all := harness.Directory(t, d, "", dir, func(o *processpool.DirectoryOptions) {
					if kept {
						o.Options = append(o.Options, harness.Resume)
					}
				})
				if len(c.refused) == 0 {
					if err := all.Result(); err != nil {
						t.Error(err)
					}
				} else {
					harness.WantDirectoryError(t, all.Result(), int64(len(c.refused)), processpool.ErrUnsafeKey)
				}
				var right []string
				for _, key := range c.keys {
					if got, _ := os.ReadFile(filepath.Join(dir, key)); string(got) == "content of "+key {
						right = append(right, key)
					}
				}
				if want := len(c.keys) - len(c.refused); len(right) != want || all.Progress().Done != int64(want) {
					t.Errorf("files of %q are right, and %d keys are done, want %d", right, all.Progress().Done, want)
				}
				for _, group := range c.refused {
					n := 0
					for key := range strings.FieldsSeq(group) {
						if slices.Contains(right, key) {
							n++
						}
					}
					if n != 1 {
						t.Errorf("%d of %q are right, want 1", n, group)
					}
				}
			})
		}
	}
}
