package partial

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/s3processpool/processpool/internal/osfile"
	"github.com/s3processpool/processpool/internal/sink"
)

// errUnfit means that the existing file is not the partial file of a download of this size.
var errUnfit = errors.New("not a partial file of this object")

func unfit(err error) error { return fmt.Errorf("%w: %w", errUnfit, err) }

// linger is how long the workers of a killed process may take to exit.
const linger = 2 * time.Second

// createFile creates the partial file of size bytes, as sink.Target.Create creates a temporary one.
// It removes a regular file that has the name, and does not overwrite it: a worker of a killed
// process may still have it open, and it may be another user's.
func createFile(target sink.Target, size int64) (*sink.Temp, error) {
	name := PartialName(target.Path())
	info, err := os.Lstat(name)
	if err == nil {
		if err = sink.Regular(info); err == nil {
			err = target.System().Remove(name)
		}
		if err != nil {
			if why := osfile.Foreign(info); why != nil {
				err = fmt.Errorf("the partial file cannot be trusted: %w; and it cannot be replaced: %w", why, osfile.Cause(err))
			}
			return nil, osfile.Error("create", name, err)
		}
	}
	return target.CreateAt(name, size)
}

// openFile opens the partial file of an earlier download. It waits up to linger until no other
// process writes to it. It returns errUnfit if the file cannot be used; createFile then replaces
// it. After an error the file is still there. perm is as for sink.Target.Adopt.
func openFile(ctx context.Context, target sink.Target, perm fs.FileMode, size int64) (*sink.Temp, error) {
	name := PartialName(target.Path())
	found, err := os.Lstat(name)
	if err != nil {
		return nil, unfit(err)
	}
	if !found.Mode().IsRegular() {
		return nil, unfit(sink.Regular(found))
	}
	if err := osfile.Foreign(found); err != nil {
		return nil, unfit(err)
	}
	otherSize := fmt.Errorf("%w: it has %d bytes, the object has %d", errUnfit, found.Size(), size)
	if found.Size() > size {
		return nil, otherSize
	}
	replaced, err := target.Present()
	if err != nil {
		return nil, err
	}
	sys := target.System()
	f, err := sys.Reopen(name)
	if err != nil {
		return nil, unfit(err)
	}
	info, err := sys.Stat(f)
	if err == nil && !os.SameFile(info, found) {
		err = sink.ErrReplaced
	}
	if err == nil {
		err = osfile.Foreign(info)
	}
	if err != nil {
		err = unfit(err)
	} else {
		err = prepare(ctx, target, f, info, replaced, size)
	}
	// A file system that cannot set the size of a file leaves it shorter until its last byte is
	// written. Where the size can be set, somebody else has made the file shorter.
	if err == nil && info.Size() < size {
		if after, statErr := sys.Stat(f); statErr != nil || after.Size() == size {
			err = otherSize
		}
	}
	if err != nil {
		sys.Close(f)
		return nil, err
	}
	return target.Adopt(f, info, perm, size), nil
}

// prepare makes the partial file of an earlier download ready to be written to. replaced is the
// file that it will replace, or nil. Its blocks are usually allocated already, but a file restored
// from a backup may have holes.
func prepare(ctx context.Context, target sink.Target, f *os.File, info, replaced fs.FileInfo, size int64) error {
	if err := await(ctx, f); err != nil {
		return err
	}
	err := target.Prepare(f, info, replaced, size)
	var at *fs.PathError
	if errors.As(err, &at) && at.Op == "chmod" {
		return unfit(err)
	}
	return err
}

// await locks the file. It waits for workers of an earlier download to close it.
func await(ctx context.Context, f *os.File) error {
	deadline := time.NewTimer(linger)
	defer deadline.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		locked, err := osfile.Lock(f)
		if err != nil {
			return unfit(err)
		}
		if locked {
			return nil
		}
		select {
		case <-again.C:
		case <-deadline.C:
			return unfit(errors.New("another process still writes to it"))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
