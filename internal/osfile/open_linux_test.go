package osfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// What is no regular file is not opened, and does not block.
func TestOpenOnlyFiles(t *testing.T) {
	dir := t.TempDir()
	file, fifo, link := filepath.Join(dir, "file"), filepath.Join(dir, "fifo"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), unix.Mkfifo(fifo, 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	for how, open := range map[string]func(name string) (*os.File, error){
		"Open":    func(name string) (*os.File, error) { return Open(name, 0, 0) },
		"OpenOwn": func(name string) (*os.File, error) { return OpenOwn(name, 0, 0) },
		"Reopen":  (*System)(nil).Reopen,
		"Reader":  (*System)(nil).Reader,
	} {
		for _, name := range []string{fifo, link, dir} {
			if f, err := open(name); err == nil {
				f.Close()
				t.Errorf("%s of %s: got nil, want an error", how, filepath.Base(name))
			}
		}
		f, err := open(file)
		if err != nil {
			t.Errorf("%s: %v", how, err)
			continue
		}
		// A worker gets the descriptor, and need not be prepared for this flag.
		if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
			t.Errorf("%s: got flags %#x, %v", how, flags, err)
		}
		f.Close()
	}
	if f, err := Open(file, os.O_CREATE, 0o600); !errors.Is(err, fs.ErrExist) {
		f.Close()
		t.Errorf("got %v, want ErrExist", err)
	}
	if err := (*System)(nil).SyncDir(fifo); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("SyncDir of a named pipe: got %v", err)
	}
}

// OpenOwn changes the permissions of no file but the one that it looked at.
func TestWiden(t *testing.T) {
	dir := t.TempDir()
	file, other, link := filepath.Join(dir, "file"), filepath.Join(dir, "other"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, nil, 0o400), os.WriteFile(other, nil, 0o400), os.Symlink(other, link)); err != nil {
		t.Fatal(err)
	}
	mode := func(name string) fs.FileMode {
		info, err := os.Lstat(name)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode()
	}
	info, err := os.Lstat(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{other, link, filepath.Join(dir, "none")} {
		if widen(name, info) || mode(other) != 0o400 {
			t.Errorf("%s: the other file has %v now", filepath.Base(name), mode(other))
		}
	}
	if !widen(file, info) || mode(file) != 0o600 {
		t.Errorf("got %v, want 0600", mode(file))
	}
	if err := errors.Join(os.Chmod(file, 0o400), os.Link(file, filepath.Join(dir, "hard"))); err != nil {
		t.Fatal(err)
	}
	if giveOwner(file) || mode(file) != 0o400 {
		t.Errorf("a file with two names: got %v, want 0400", mode(file))
	}
}

func TestForeign(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(what string, want bool) {
		t.Helper()
		info, err := os.Lstat(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := Foreign(info); (err != nil) != want {
			t.Errorf("%s: got %v, want an error: %t", what, err, want)
		}
	}
	for mode, want := range map[fs.FileMode]bool{0o600: false, 0o755: false, 0o444: false, 0: false, 0o620: true, 0o602: true, 0o666: true} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		check(mode.String(), want)
	}
	if err := errors.Join(os.Chmod(name, 0o600), os.Link(name, name+"2")); err != nil {
		t.Fatal(err)
	}
	check("a hard link", true)
	if err := errors.Join(os.Remove(name+"2"), os.Remove(name), os.Mkdir(name, 0o700)); err != nil {
		t.Fatal(err)
	}
	check("a directory", true)
}
