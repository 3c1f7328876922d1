//go:build unix

package sink

import (
	"os"
	"testing"

	"github.com/s3processpool/processpool/internal/osfile"
)

// A process that is killed at the rename, just before or after it, leaves no file that nobody removes, and
// no destination that somebody does: the temporary file has the mark until the rename, and it is the
// mark of the temporary name.
func TestPublishMark(t *testing.T) {
	for _, keep := range []bool{false, true} {
		target, dir := resolved(t, true)
		temp := created(t, target, 3)
		if keep {
			temp.Discard()
			var err error
			if temp, err = target.CreateAt(target.Path()+".kept", 3); err != nil {
				t.Fatal(err)
			}
		}
		if !osfile.Marked(temp.File()) {
			t.Skip("the file system keeps no marks")
		}
		temp.File().WriteAt([]byte("new"), 0)
		target.System().SetFault(func(op, _ string) error {
			if op != "rename" {
				return nil
			}
			if f := open(t, temp.Name()); !osfile.Marked(f) {
				t.Error("the temporary file has lost its mark before the rename")
			}
			return nil
		})
		if err := temp.Publish(); err != nil {
			t.Error(err)
		}
		content(t, target.Path(), "new")
		if f := open(t, target.Path()); !osfile.Bare(f) {
			t.Error("the destination has a mark")
		}
		untouched(t, dir, "file")
	}
}

// A destination that its owner may not write to has no mark either.
func TestPublishMarkReadOnly(t *testing.T) {
	target, _ := resolved(t, false)
	temp := created(t, target.WithMode(0o444), 0)
	if !osfile.Marked(temp.File()) {
		t.Skip("the file system keeps no marks")
	}
	if err := temp.Publish(); err != nil {
		t.Error(err)
	}
	if f := open(t, target.Path()); !osfile.Bare(f) {
		t.Error("the destination has a mark")
	}
}

func open(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}
