package osfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
)

// RenameNew takes a free name and no other, also where rename must be made of link and remove.
func TestRenameNew(t *testing.T) {
	for name, lacks := range map[string]error{
		"rename": nil, "ENOSYS": syscall.ENOSYS, "EINVAL": syscall.EINVAL, "EPERM": syscall.EPERM, "ErrUnsupported": errors.ErrUnsupported,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
			s, failing := &System{}, map[string]error{"rename": lacks}
			s.SetFault(func(op, _ string) error { return failing[op] })
			write := func(name, text string) {
				t.Helper()
				if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := func(name, text string) {
				t.Helper()
				if got, err := os.ReadFile(name); err != nil || string(got) != text {
					t.Errorf("%s: got %q, %v, want %q", filepath.Base(name), got, err, text)
				}
			}

			write(from, "new")
			if err := s.RenameNew(from, to); err != nil {
				t.Fatal(err)
			}
			leak.Files(t, dir, "to")

			write(from, "newer")
			var linkError *os.LinkError
			if err := s.RenameNew(from, to); !errors.Is(err, fs.ErrExist) || !errors.As(err, &linkError) {
				t.Errorf("the name is taken: got %v, want a LinkError that is %v", err, fs.ErrExist)
			}
			want(from, "newer")
			want(to, "new")

			if lacks == nil {
				return
			}
			os.Remove(to)
			failing["link"] = syscall.EIO
			if err := s.RenameNew(from, to); !errors.Is(err, syscall.EIO) {
				t.Errorf("link fails: got %v, want %v", err, syscall.EIO)
			}
			leak.Files(t, dir, "from")
			failing["link"], failing["remove"] = nil, syscall.EIO
			if err := s.RenameNew(from, to); err != nil {
				t.Errorf("remove fails: got %v, want nil, for the file has its name", err)
			}
			want(to, "newer")
			// As when the answer of an NFS server was lost, and link is asked again.
			failing["remove"] = nil
			if err := s.RenameNew(from, to); err != nil {
				t.Errorf("the file has both names: got %v, want nil", err)
			}
			leak.Files(t, dir, "to")
		})
	}
}

// An error that is not about the kind of rename is the result.
func TestRenameNewFails(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	s := &System{}
	s.SetFault(func(op, _ string) error {
		if op == "rename" {
			return syscall.ENOSPC
		}
		t.Errorf("got a call of %s, want none", op)
		return nil
	})
	if err := s.RenameNew(from, to); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want %v", err, syscall.ENOSPC)
	}
	if err := new(System).RenameNew(from, to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: got %v, want %v", err, fs.ErrNotExist)
	}
}
