//go:build unix

package sink

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"
)

func TestMode(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o027))
	for _, test := range []struct{ present, want fs.FileMode }{
		{0, 0o640}, // absent
		{0o600, 0o600},
		{0o644, 0o644},
		{0o777, 0o777},
		{0o444, 0o444},
		{0o200, 0o200},
		{0o000 | fs.ModeSetgid, 0o000},
		{0o755 | fs.ModeSetuid, 0o755}, // other content must not get it
	} {
		target, _ := resolved(t, test.present != 0)
		if test.present != 0 {
			if err := os.Chmod(target.Path(), test.present); err != nil {
				t.Fatal(err)
			}
		}
		temp := created(t, target, 3)
		info, err := os.Stat(temp.Name())
		if want := test.want | 0o600; err != nil || info.Mode() != want {
			t.Errorf("%v: the temporary file has %v, %v, want %v", test.present, info.Mode(), err, want)
		}
		temp.Discard()
		publish(t, target, "new")
		if info, err := os.Stat(target.Path()); err != nil || info.Mode() != test.want {
			t.Errorf("%v: the file has %v, %v, want %v", test.present, info.Mode(), err, test.want)
		}
	}
}

// TestModeCannotBeSet makes chmod fail, as on CIFS and FAT. That is no error unless the file would
// have more permissions than the one that it replaces.
func TestModeCannotBeSet(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o022))
	for _, test := range []struct {
		before, after fs.FileMode // of the destination: before Create, and before Publish
		errno, want   syscall.Errno
	}{
		{0o644, 0o644, syscall.EPERM, 0},
		{0o666, 0o666, syscall.EPERM, 0}, // stays 0644
		{0o444, 0o444, syscall.EPERM, 0}, // created as 0444, and never widened
		{0o644, 0o664, syscall.EOPNOTSUPP, 0},
		{0o644, 0o600, syscall.EPERM, syscall.EPERM},
		{0o644, 0o640, syscall.ENOSYS, syscall.ENOSYS},
		{0o666, 0o666, syscall.EIO, syscall.EIO},
	} {
		target, dir := resolved(t, true)
		if err := os.Chmod(target.Path(), test.before); err != nil {
			t.Fatal(err)
		}
		restore := target.System().SetFault(func(op, _ string) error {
			if op == "chmod" {
				return test.errno
			}
			return nil
		})
		temp, err := target.Create(0)
		if err == nil {
			if err := os.Chmod(target.Path(), test.after); err != nil {
				t.Fatal(err)
			}
			err = temp.Publish()
		}
		restore()
		if test.want == 0 && err != nil || test.want != 0 && !errors.Is(err, test.want) {
			t.Errorf("%+v: got %v", test, err)
		}
		info, err := os.Stat(target.Path())
		if err != nil || info.Mode()&^test.after != 0 {
			t.Errorf("%+v: the file has %v, %v", test, info.Mode(), err)
		}
		untouched(t, dir, "file")
	}
}

// TestModeFromTheStart looks at the file before chmod: private content must never be readable.
func TestModeFromTheStart(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	target, _ := resolved(t, true)
	if err := os.Chmod(target.Path(), 0o640); err != nil {
		t.Fatal(err)
	}
	looked := false
	defer target.System().SetFault(func(op, path string) error {
		if op != "chmod" {
			return nil
		}
		looked = true
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("before chmod it has %v, %v, want 0600", info.Mode(), err)
		}
		return nil
	})()
	created(t, target, 1)
	if !looked {
		t.Error("no chmod")
	}
}

func TestReplaced(t *testing.T) {
	for name, replace := range map[string]func(path string) error{
		"removed": os.Remove,
		"another": func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.WriteFile(path, []byte("1"), 0o644)
		},
		"a link to it": func(path string) error {
			if err := os.Rename(path, path+".moved"); err != nil {
				return err
			}
			return os.Symlink(path+".moved", path)
		},
	} {
		for _, end := range []string{"Publish", "Discard"} {
			t.Run(name+" "+end, func(t *testing.T) {
				target, _ := resolved(t, true)
				temp := created(t, target, 1)
				if err := replace(temp.Name()); err != nil {
					t.Fatal(err)
				}
				before, beforeErr := os.Lstat(temp.Name())
				if end == "Publish" {
					if err := temp.Publish(); !errors.Is(err, ErrReplaced) {
						t.Errorf("got %v, want %v", err, ErrReplaced)
					}
				}
				temp.Discard()
				after, afterErr := os.Lstat(temp.Name())
				if (beforeErr == nil) != (afterErr == nil) || beforeErr == nil && !os.SameFile(before, after) {
					t.Errorf("the other file is gone: %v", afterErr)
				}
				content(t, target.Path(), "old")
			})
		}
	}
}

// TestDestinationReplaced replaces the destination by files that rename would replace.
func TestDestinationReplaced(t *testing.T) {
	for name, replace := range map[string]func(path string) error{
		"fifo": func(path string) error { return syscall.Mkfifo(path, 0o644) },
		"link": func(path string) error { return os.Symlink("elsewhere", path) },
	} {
		t.Run(name, func(t *testing.T) {
			target, dir := resolved(t, false)
			temp := created(t, target, 1)
			if err := replace(target.Path()); err != nil {
				t.Fatal(err)
			}
			want, err := os.Lstat(target.Path())
			if err != nil {
				t.Fatal(err)
			}
			if err := temp.Publish(); !errors.Is(err, ErrNotRegular) {
				t.Errorf("got %v, want %v", err, ErrNotRegular)
			}
			if got, err := os.Lstat(target.Path()); err != nil || !os.SameFile(got, want) {
				t.Errorf("it was replaced: %v", err)
			}
			untouched(t, dir, "file")
		})
	}
}

// TestSyncDirUnreadable uses a directory that the process may write to but not read.
func TestSyncDirUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read every directory")
	}
	target, dir := resolved(t, false)
	if err := os.Chmod(dir, 0o300); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	publish(t, target, "new")
}
