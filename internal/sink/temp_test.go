package sink

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// resolved is a destination in a directory of its own, with "old" in it unless it is to be absent.
func resolved(t *testing.T, present bool) (target Target, dir string) {
	t.Helper()
	dir = t.TempDir()
	path := filepath.Join(dir, "file")
	if present {
		write(t, path, "old", 0o644)
	}
	target, err := Resolve(path)
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
				for at := len(text) - 1; at >= 0; at -= 1000 { // backwards, as ranges may come
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
	if _, err := target.Create(-2); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("got %v, want %v", err, syscall.EINVAL)
	}
	untouched(t, dir)
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

// TestPublishOtherSize has the file grow and shrink, as a worker's wrong offset would.
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

// TestDestinationBecomesDirectory makes it one before Create, and before Publish.
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
			target, err := Resolve(filepath.Join(dir, base))
			if err != nil {
				t.Fatal(err)
			}
			publish(t, target, "new")
			content(t, target.Path(), "new")
			untouched(t, dir, base)
		})
	}
}
