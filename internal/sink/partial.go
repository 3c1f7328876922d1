package sink

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/s3processpool/processpool/internal/lock"
)

// The endings of the names beside a destination at which a download that may be resumed is kept.
const (
	PartialSuffix = ".part"
	JournalSuffix = PartialSuffix + ".journal"
)

// PartialName is where the bytes of a download to the target are kept: beside it, a dot, its own name
// and ".part". JournalName adds ".journal" to that. They are the same every time. So that both fit 255
// bytes, a long name is cut, between characters, and ended with "~" and a hash of it in 16 hex digits.
func (t Target) PartialName() string { return t.partialBase(maxName) + PartialSuffix }

// JournalName is where it is written down what of the partial file is good.
func (t Target) JournalName() string { return t.partialBase(maxName) + JournalSuffix }

func (t Target) partialBase(limit int) string {
	dir, base := filepath.Split(t.path)
	if room := limit - len(".") - len(JournalSuffix); len(base) > room {
		sum := sha256.Sum256([]byte(base))
		hash := "~" + hex.EncodeToString(sum[:8])
		base = shorten(base, room-len(hash)) + hash
	}
	return dir + "." + base
}

// CreatePartial makes the partial file anew, as Create makes a temporary one. A regular file that has
// the name is removed and not written over: a worker of a process that was killed may still hold it.
func (t Target) CreatePartial(size int64) (*Temp, error) {
	name := t.PartialName()
	info, err := os.Lstat(name)
	if err == nil {
		if err = regular(info); err == nil {
			err = sysRemove(name)
		}
		if err != nil {
			return nil, step("create", name, err)
		}
	}
	replaced, err := t.present()
	if err != nil {
		return nil, err
	}
	perm := fs.FileMode(0o666)
	if replaced != nil {
		perm = replaced.Mode().Perm()
	}
	f, err := sysOpen(name, perm)
	if err != nil {
		return nil, err
	}
	return t.prepare(&Temp{target: t, file: f, size: size, partial: true}, replaced)
}

// ErrUnfit means that what is there is not the partial file of a download of this size.
var ErrUnfit = errors.New("not a partial file of this object")

// linger is how long the workers of a process that was killed may take to go.
const linger = 2 * time.Second

// OpenPartial opens the partial file of an earlier download. It waits until nobody writes to it any
// more, for some seconds. Whatever speaks against going on with it is ErrUnfit; CreatePartial is then the
// way. On an error the file is left as it was.
func (t Target) OpenPartial(ctx context.Context, size int64) (*Temp, error) {
	name := t.PartialName()
	info, err := os.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	if info.Size() != size || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: it is of %d bytes, the object of %d", ErrUnfit, info.Size(), size)
	}
	replaced, err := t.present()
	if err != nil {
		return nil, err
	}
	f, err := sysReopen(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	temp := &Temp{target: t, file: f, size: size, partial: true}
	if err := temp.regain(ctx, info, replaced); err != nil {
		sysClose(f)
		return nil, err
	}
	return temp, nil
}

// regain makes an earlier file ready to be written to.
func (t *Temp) regain(ctx context.Context, found, replaced fs.FileInfo) (err error) {
	if t.info, err = sysStat(t.file); err != nil || !os.SameFile(t.info, found) {
		return fmt.Errorf("%w: it was replaced: %w", ErrUnfit, errors.Join(err, ErrReplaced))
	}
	if err := t.await(ctx); err != nil {
		return err
	}
	mark(t.file)
	if replaced != nil && t.info.Mode().Perm() != replaced.Mode().Perm() {
		if err := sysChmod(t.file, replaced.Mode().Perm()); err != nil {
			return fmt.Errorf("%w: %w", ErrUnfit, err)
		}
	}
	if t.size == 0 {
		return nil
	}
	// Room that was set aside is still there; but a copy or a backup may have holes.
	return preallocate(t.file, t.size)
}

// await waits for the workers of an earlier download to leave the file.
func (t *Temp) await(ctx context.Context) error {
	deadline := time.NewTimer(linger)
	defer deadline.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		free, err := lock.Try(t.file)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnfit, err)
		}
		if free {
			return nil
		}
		select {
		case <-again.C:
		case <-deadline.C:
			return fmt.Errorf("%w: another process still writes to it", ErrUnfit)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Datasync is Sync, but leaves times and the like for later where the system can.
func (t *Temp) Datasync() error { return sysFdatasync(t.file) }
