package sink

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// nobody is another user than this one.
const nobody = 65534

// give makes another user the owner of a file, of a link itself.
func give(t *testing.T, name string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file to another user")
	}
	if err := os.Lchown(name, nobody, nobody); err != nil {
		t.Skipf("no other user here: %v", err)
	}
}

// sharedDir returns a directory like /tmp: every user can create files in it.
func sharedDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shared")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Another user's link in a directory like /tmp is not followed, wherever it is in the path. The rule
// is that of Linux' protected_symlinks, and holds where that is off.
func TestLinkOfAnotherUser(t *testing.T) {
	type link struct {
		path string // of the link, in the shared directory
		name string // to resolve
	}
	for name, l := range map[string]link{
		"the file":             {"file", "file"},
		"a directory":          {"dir", "dir/file"},
		"a directory, by ..":   {"dir", "dir/sub/../file"},
		"a link to such a one": {"file", "../good"},
	} {
		for _, c := range []struct {
			name         string
			theirs, open bool
			give         bool // the directory, too
			want         error
		}{
			{"ours", false, true, false, nil},
			{"theirs", true, true, false, fs.ErrPermission},
			{"theirs, in their directory", true, true, true, nil},
			{"theirs, in a directory that is not shared", true, false, false, nil},
		} {
			t.Run(name+","+c.name, func(t *testing.T) {
				victim, dir := t.TempDir(), sharedDir(t)
				if err := os.MkdirAll(filepath.Join(victim, "sub"), 0o700); err != nil {
					t.Fatal(err)
				}
				to := filepath.Join(victim, "file")
				if l.path == "dir" {
					to = victim
				}
				if err := os.Symlink(to, filepath.Join(dir, l.path)); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink("shared/file", filepath.Join(dir, "../good")); err != nil {
					t.Fatal(err)
				}
				if c.theirs {
					give(t, filepath.Join(dir, l.path))
				}
				if c.give {
					give(t, dir)
				}
				if !c.open {
					if err := os.Chmod(dir, 0o755); err != nil {
						t.Fatal(err)
					}
				}
				target, err := Resolve(nil, dir+"/"+l.name)
				if !errors.Is(err, c.want) || c.want != nil && !errors.Is(err, syscall.EACCES) {
					t.Fatalf("got %v, %v, want %v", target.Path(), err, c.want)
				}
			})
		}
	}
}

// A file that another user has put at the destination does not give its mode to ours.
func TestModeOfAnotherUser(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o027))
	for _, test := range []struct{ theirs, want fs.FileMode }{
		{0o666, 0o640},
		{0o777, 0o640},
		{0o644, 0o640},
		{0o600, 0o600}, // which may have been to keep it private
		{0, 0o600},
	} {
		for _, when := range []string{"before", "meanwhile", "resumed"} {
			target, dir := resolved(t, false)
			plant := func() {
				if err := os.WriteFile(target.Path(), nil, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(target.Path(), test.theirs); err != nil {
					t.Fatal(err)
				}
				give(t, target.Path())
			}
			if when == "before" {
				plant()
			}
			temp := created(t, target, 0)
			if info, err := os.Stat(temp.Name()); err != nil || info.Mode()&^0o640 != 0 {
				t.Errorf("%v %s: the temporary file has %v, %v", test.theirs, when, info.Mode(), err)
			}
			if when != "before" {
				plant()
			}
			if when == "resumed" {
				temp.Keep()
				f, err := target.System().Reopen(temp.Name())
				if err != nil {
					t.Fatal(err)
				}
				info, err := f.Stat()
				if err != nil {
					t.Fatal(err)
				}
				replaced, err := target.Present()
				if err != nil {
					t.Fatal(err)
				}
				if err := target.Prepare(f, info, replaced, 0); err != nil {
					t.Fatal(err)
				}
				temp = target.Adopt(f, info, temp.Perm(), 0)
			}
			if err := temp.Publish(); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(target.Path()); err != nil || info.Mode() != test.want {
				t.Errorf("%v %s: the file has %v, %v, want %v", test.theirs, when, info.Mode(), err, test.want)
			}
			untouched(t, dir, "file")
		}
	}
}

// Nobody but the owner can write to a file that is kept, whatever the permissions that it will have.
func TestKeptIsNotWritable(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o002))
	for _, present := range []fs.FileMode{0, 0o666} {
		target, _ := resolved(t, present != 0)
		if present != 0 {
			if err := os.Chmod(target.Path(), present); err != nil {
				t.Fatal(err)
			}
		}
		want := present
		if present == 0 {
			want = 0o664
		}
		temp, err := target.CreateAt(target.Path()+".kept", 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			info, err := temp.File().Stat()
			if err != nil || info.Mode() != 0o644 {
				t.Errorf("present=%o: the kept file has %v, %v", present, info.Mode(), err)
			}
			temp.Keep()
			f, err := target.System().Reopen(temp.Name())
			if err != nil {
				t.Fatal(err)
			}
			temp = target.Adopt(f, info, temp.Perm(), 0)
		}
		if err := temp.Publish(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(target.Path()); err != nil || info.Mode() != want {
			t.Errorf("present=%o: the file has %v, %v, want %v", present, info.Mode(), err, want)
		}
	}
}
