//go:build linux

package chaos

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"github.com/s3processpool/processpool/internal/osfile"
)

// oddity is a file system, or a sandbox, that refuses some system calls on a temporary or partial
// file: all of them if it does not offer the call, the first if the storage is full or broken.
type oddity struct {
	calls []string
	errno syscall.Errno

	fired int // guarded by the transfer's mu
}

func (p *plan) drawOddity(d dice) *oddity {
	o := &oddity{
		calls: pick(d, [][]string{
			{"fallocate"}, {"fallocate", "truncate"}, {"fdatasync"}, {"fdatasync", "fsync"}, {"chmod"}, {"syncdir"},
		}),
		errno: pick(d, []syscall.Errno{syscall.EPERM, syscall.ENOTSUP, syscall.ENOSYS, syscall.EINVAL}),
	}
	if d.chance(25) {
		o.calls = []string{pick(d, []string{"fallocate", "fdatasync", "chmod"})}
		o.errno = pick(d, []syscall.Errno{syscall.EIO, syscall.ENOSPC, syscall.EDQUOT})
	}
	return o
}

func (o *oddity) String() string { return fmt.Sprintf("%v: %v", o.calls, o.errno) }

// fatal reports whether no download can succeed once a call was refused.
func (o *oddity) fatal(p *plan) bool {
	return osfile.OfStorage(o.errno) || p.durable && slices.Contains(o.calls, "fsync")
}

// struck reports whether a call was refused. It is for use after the end of all downloads.
func (o *oddity) struck() bool { return o != nil && o.fired > 0 }

// oddCall returns the error of a call that the transfer's file system does not offer.
func (t *transfer) oddCall(op string) error {
	o := t.odd
	if o == nil || !slices.Contains(o.calls, op) {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if osfile.OfStorage(o.errno) && o.fired > 0 {
		return nil
	}
	o.fired++
	return o.errno
}

// judgeMode checks that a file has the permissions of the one that it has replaced.
func (r *run) judgeMode(t *transfer) {
	if t.mode == 0 || t.asked != 0 || t.odd.struck() && slices.Contains(t.odd.calls, "chmod") {
		return
	}
	if info, err := os.Stat(t.target); err != nil || info.Mode().Perm() != t.mode {
		r.Errorf("%s: got %v, %v, want the mode %#o of the file it replaces", t.key, mode(info), err, t.mode)
	}
}

func mode(info fs.FileInfo) fs.FileMode {
	if info == nil {
		return 0
	}
	return info.Mode()
}
