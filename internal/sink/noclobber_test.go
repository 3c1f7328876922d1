package sink

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
)

// wantExists fails the test unless err says that the destination exists, and the file is as before.
func wantExists(t *testing.T, target Target, err error) {
	t.Helper()
	if !errors.Is(err, failure.ErrExists) || !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want %v", err, failure.ErrExists)
	}
	content(t, target.Path(), "old")
}

// TestNoClobber has the destination there before Create, before Publish, and just before the rename.
func TestNoClobber(t *testing.T) {
	for name, lacks := range map[string]error{"rename": nil, "link": syscall.EINVAL} {
		t.Run(name, func(t *testing.T) {
			target, dir := resolved(t, true)
			target = target.NoClobber()
			_, err := target.Present()
			wantExists(t, target, err)
			_, err = target.Create(0)
			wantExists(t, target, err)
			untouched(t, dir, "file")

			os.Remove(target.Path())
			temp := created(t, target, 0)
			write(t, target.Path(), "old", 0o644)
			wantExists(t, target, temp.Publish())
			untouched(t, dir, "file")

			os.Remove(target.Path())
			temp = created(t, target, 0)
			restore := target.System().SetFault(func(op, path string) error {
				if op != "rename" {
					return nil
				}
				write(t, target.Path(), "old", 0o644)
				return lacks
			})
			wantExists(t, target, temp.Publish())
			restore()
			untouched(t, dir, "file")

			os.Remove(target.Path())
			restore = target.System().SetFault(func(op, _ string) error {
				if op == "rename" {
					return lacks
				}
				return nil
			})
			defer restore()
			if published, err := download(target, "new"); !published || err != nil {
				t.Errorf("a free name: got %t, %v", published, err)
			}
			content(t, target.Path(), "new")
			untouched(t, dir, "file")
		})
	}
}

// TestNoClobberKeeps leaves a partial file when the destination has appeared.
func TestNoClobberKeeps(t *testing.T) {
	target, dir := resolved(t, false)
	target = target.NoClobber()
	temp, err := target.CreateAt(filepath.Join(dir, "part"), 0)
	if err != nil {
		t.Fatal(err)
	}
	write(t, target.Path(), "old", 0o644)
	wantExists(t, target, temp.Publish())
	temp.Keep()
	untouched(t, dir, "file", "part")
}

func TestSetModTime(t *testing.T) {
	for _, unix := range []int64{-1, 0, 1, 1_000_000_000, 1 << 31, 1 << 33} {
		target, _ := resolved(t, true)
		temp := created(t, target, 0)
		want := time.Unix(unix, 0)
		if err := temp.SetModTime(want); err != nil {
			t.Fatal(err)
		}
		if err := temp.Publish(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(target.Path()); err != nil || !info.ModTime().Equal(want) {
			t.Errorf("got %v, %v, want %v", info.ModTime(), err, want)
		}
	}
}

// TestSetModTimeSealed sets the time of a file that can only be read.
func TestSetModTimeSealed(t *testing.T) {
	target, _ := resolved(t, false)
	temp, want := created(t, target, 0), time.Unix(1, 0)
	if err := errors.Join(temp.Seal(nil), temp.SetModTime(want), temp.Publish()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(target.Path()); err != nil || !info.ModTime().Equal(want) {
		t.Errorf("got %v, %v, want %v", info.ModTime(), err, want)
	}
}
