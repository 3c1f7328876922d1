package sink

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/osfile"
)

// resolved returns a destination in a directory of its own, with a System of its own. If present is
// true, the file exists and contains "old".
func resolved(t *testing.T, present bool) (target Target, dir string) {
	t.Helper()
	dir = t.TempDir()
	path := filepath.Join(dir, "file")
	if present {
		write(t, path, "old", 0o644)
	}
	target, err := Resolve(new(osfile.System), path)
	if err != nil {
		t.Fatal(err)
	}
	return target, dir
}

func created(t *testing.T, target Target, size int64) *Temp {
	t.Helper()
	temp, err := target.Create(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(temp.Discard)
	return temp
}

func TestPublish(t *testing.T) {
	for name, text := range map[string]string{"size=0": "", "size=1": "1", "size=4": "data", "size=65537": strings.Repeat("d", 65537)} {
		for _, present := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				target, dir := resolved(t, present)
				temp := created(t, target, int64(len(text)))
				info, err := temp.File().Stat()
				if err != nil || info.Size() != int64(len(text)) {
					t.Errorf("it starts with %d bytes, %v, want %d", info.Size(), err, len(text))
				}
				if got := filepath.Dir(temp.Name()); got != dir {
					t.Errorf("it is in %s, want %s", got, dir)
				}
				for at := len(text) - 1; at >= 0; at -= 1000 { // backwards, as ranges may arrive
					from := max(0, at-999)
					if _, err := temp.File().WriteAt([]byte(text[from:at+1]), int64(from)); err != nil {
						t.Fatal(err)
					}
				}
				for _, step := range []func() error{temp.Sync, temp.Publish, temp.SyncDir} {
					if err := step(); err != nil {
						t.Fatal(err)
					}
				}
				content(t, target.Path(), text)
				temp.Discard()
				if err := temp.Publish(); !errors.Is(err, fs.ErrClosed) {
					t.Errorf("again: got %v, want %v", err, fs.ErrClosed)
				}
				content(t, target.Path(), text)
				untouched(t, dir, "file")
			})
		}
	}
}

func TestDiscard(t *testing.T) {
	for _, present := range []bool{false, true} {
		target, dir := resolved(t, present)
		temp := created(t, target, 10)
		temp.Discard()
		if _, err := temp.File().Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("still open: %v", err)
		}
		temp.Discard()
		if err := temp.Publish(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("Publish: got %v, want %v", err, fs.ErrClosed)
		}
		if err := temp.SyncDir(); err == nil {
			t.Error("SyncDir of what was not published")
		}
		if present {
			content(t, target.Path(), "old")
			untouched(t, dir, "file")
		} else {
			untouched(t, dir)
		}
	}
}

func TestCreateNegativeSize(t *testing.T) {
	target, dir := resolved(t, false)
	for _, size := range []int64{-1, -2} {
		if _, err := target.Create(size); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("size=%d: got %v, want %v", size, err, syscall.EINVAL)
		}
		if _, err := target.CreateAt(target.Path()+".kept", size); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("CreateAt, size=%d: got %v, want %v", size, err, syscall.EINVAL)
		}
	}
	untouched(t, dir)
}

// TestCreateUnsized publishes a file whose size is known late, and one whose size never is.
func TestCreateUnsized(t *testing.T) {
	for _, sized := range []bool{true, false} {
		target, dir := resolved(t, true)
		temp, err := target.CreateUnsized()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := temp.File().WriteAt([]byte("new"), 0); err != nil {
			t.Fatal(err)
		}
		want := "old"
		if sized {
			temp.Sized(3)
			want = "new"
		}
		if err := temp.Publish(); (err == nil) != sized {
			t.Errorf("sized=%t: Publish: %v", sized, err)
		}
		content(t, target.Path(), want)
		untouched(t, dir, "file")
	}
}

// TestCreateAt keeps a file over a failed Publish and for another Temp.
func TestCreateAt(t *testing.T) {
	target, dir := resolved(t, true)
	sys := target.System()
	name := target.Path() + ".kept"
	temp, err := target.CreateAt(name, 3)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.CreateAt(name, 3); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second one: got %v, want %v", err, fs.ErrExist)
	}
	if _, err := temp.File().WriteAt([]byte("new"), 0); err != nil {
		t.Fatal(err)
	}
	restore := sys.SetFault(func(op, path string) error {
		if op == "rename" {
			return syscall.EACCES
		}
		return nil
	})
	if err := temp.Publish(); !errors.Is(err, syscall.EACCES) {
		t.Errorf("got %v, want %v", err, syscall.EACCES)
	}
	restore()
	temp.Keep()
	temp.Discard() // does nothing after Keep
	content(t, name, "new")
	f, err := sys.Reopen(name)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	temp = target.Adopt(f, info, 0, 3)
	if err := temp.Publish(); err != nil || !temp.Published() {
		t.Errorf("Publish: %v, published = %t", err, temp.Published())
	}
	content(t, target.Path(), "new")
	untouched(t, dir, "file")
}

func TestCreateDirectoryGone(t *testing.T) {
	target, dir := resolved(t, false)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := target.Create(1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
}

// TestPublishOtherSize changes the size of the file, as a worker with a wrong offset would.
func TestPublishOtherSize(t *testing.T) {
	for _, size := range []int64{0, 9, 11} {
		target, dir := resolved(t, true)
		temp := created(t, target, 10)
		if err := temp.File().Truncate(size); err != nil {
			t.Fatal(err)
		}
		if err := temp.Publish(); err == nil {
			t.Errorf("size=%d: published", size)
		}
		content(t, target.Path(), "old")
		untouched(t, dir, "file")
	}
}

// TestDestinationBecomesDirectory creates a directory before Create, and before Publish.
func TestDestinationBecomesDirectory(t *testing.T) {
	target, dir := resolved(t, false)
	temp := created(t, target, 1)
	if err := os.Mkdir(target.Path(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := temp.Publish(); !errors.Is(err, ErrNotRegular) || !errors.Is(err, syscall.EISDIR) {
		t.Errorf("Publish: got %v, want %v", err, ErrNotRegular)
	}
	if _, err := target.Create(1); !errors.Is(err, ErrNotRegular) {
		t.Errorf("Create: got %v, want %v", err, ErrNotRegular)
	}
	untouched(t, dir, "file")
}

func TestLongNames(t *testing.T) {
	for name, base := range map[string]string{
		"length=255":      strings.Repeat("n", 255),
		"85 characters":   strings.Repeat("€", 85),
		"not at the byte": "nn" + strings.Repeat("€", 84),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			target, err := Resolve(nil, filepath.Join(dir, base))
			if err != nil {
				t.Fatal(err)
			}
			publish(t, target, "new")
			content(t, target.Path(), "new")
			untouched(t, dir, base)
		})
	}
}
