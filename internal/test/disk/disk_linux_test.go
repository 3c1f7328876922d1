package disk

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/internal/test/leak"
)

// The file system of Mount is one that programs can use.
func TestMount(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	Mount(t, dir, Options{Fold: true, Quota: 1 << 20, Refuse: map[string]syscall.Errno{"fsync": unix.EOPNOTSUPP}})
	content := bytes.Repeat([]byte("content "), 40_000)
	if err := os.WriteFile(filepath.Join(dir, "File"), content, 0o640); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "fILE"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := make([]byte, len(content))
	if _, err := f.ReadAt(got, 0); err != nil || !bytes.Equal(got, content) {
		t.Errorf("got other content, %v", err)
	}
	if err := f.Sync(); !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("fsync: got %v", err)
	}
	if err := f.Chmod(0o600); err != nil {
		t.Error(err)
	}
	then := time.Unix(1e9, 5)
	if err := os.Chtimes(f.Name(), then, then); err != nil {
		t.Error(err)
	}
	if info, err := f.Stat(); err != nil || info.Mode() != 0o600 || !info.ModTime().Equal(then) {
		t.Errorf("got %v, %v", info, err)
	}
	value := make([]byte, 10)
	err = unix.Fsetxattr(int(f.Fd()), "user.test", []byte("value"), 0)
	if n, getErr := unix.Fgetxattr(int(f.Fd()), "user.test", value); err != nil || getErr != nil || string(value[:n]) != "value" {
		t.Errorf("got %q, %v, %v", value[:n], err, getErr)
	}
	if err := unix.Fallocate(int(f.Fd()), 0, 0, 1<<20+1); err != unix.EDQUOT {
		t.Errorf("beyond the quota: got %v", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "A", "B"), 0o777); err != nil {
		t.Error(err)
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, "a", "b", "c")); err != nil {
		t.Error(err)
	}
	leak.Files(t, dir, "A")
	leak.Files(t, filepath.Join(dir, "a", "B"), "c")
	if err := os.RemoveAll(filepath.Join(dir, "a")); err != nil {
		t.Error(err)
	}
	leak.Files(t, dir)
}

func TestFoldBelow(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	Mount(t, dir, Options{FoldBelow: "fold"})
	if err := os.MkdirAll(filepath.Join(dir, "fold", "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"FOLD": false, "fold/X": true} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s: got %v, want that it exists: %v", name, err, want)
		}
	}
}

func TestExt4(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	Ext4(t, dir, "casefold")
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o777); err != nil {
		t.Fatal(err)
	}
	Fold(t, sub)
	if err := os.WriteFile(filepath.Join(sub, "A"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(sub, "a")); err != nil {
		t.Error(err)
	}
}
