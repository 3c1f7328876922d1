//go:build unix

package sink

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"
)

// TestWithMode sets exactly the permissions that were asked for, whatever is replaced.
func TestWithMode(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o027))
	for _, present := range []bool{false, true} {
		for _, want := range []fs.FileMode{0o600, 0o644, 0o666, 0o777, 0o400, 0o004, 0o1} {
			target, _ := resolved(t, present)
			target = target.WithMode(want)
			temp := created(t, target, 3)
			if info, err := os.Stat(temp.Name()); err != nil || info.Mode() != want|0o600 {
				t.Errorf("%v: the temporary file has %v, %v, want %v", want, info.Mode(), err, want|0o600)
			}
			if got, most := temp.Perm(), fs.FileMode(0o640); got&^most != 0 {
				t.Errorf("%v: Perm: got %v, want no more than a new file has, %v", want, got, most)
			}
			temp.Discard()
			publish(t, target, "new")
			if info, err := os.Stat(target.Path()); err != nil || info.Mode() != want {
				t.Errorf("present=%t: the file has %v, %v, want %v", present, info.Mode(), err, want)
			}
		}
	}
}

// TestWithModeCannotBeSet refuses a file that would have other permissions, fewer or more, before
// there is a byte in it.
func TestWithModeCannotBeSet(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o022))
	for _, mode := range []fs.FileMode{0o666, 0o755, 0o644} {
		target, dir := resolved(t, false)
		restore := target.System().SetFault(func(op, _ string) error {
			if op == "chmod" {
				return syscall.EPERM
			}
			return nil
		})
		temp, err := target.WithMode(mode).Create(0)
		if mode&0o022 == 0 { // what the umask leaves needs no chmod
			if err == nil {
				err = temp.Publish()
			}
			if err != nil {
				t.Errorf("%v: got %v, want nil", mode, err)
			}
			restore()
			continue
		}
		restore()
		if !errors.Is(err, syscall.EPERM) {
			t.Errorf("%v: got %v, want %v", mode, err, syscall.EPERM)
		}
		untouched(t, dir)
	}
}
