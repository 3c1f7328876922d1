package partial

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/osfile"
	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// targetIn returns the target dir/file, with a System of its own.
func targetIn(t *testing.T, dir string) sink.Target {
	t.Helper()
	target, err := sink.Resolve(new(osfile.System), filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestPartial(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	target := targetIn(t, dir)
	if _, err := openFile(t.Context(), target, 0, 5); !errors.Is(err, errUnfit) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing there: got %v, want errUnfit", err)
	}
	temp, err := createFile(target, 5)
	if err != nil {
		t.Fatal(err)
	}
	temp.File().WriteAt([]byte("12345"), 0)
	temp.Keep()
	temp.Discard() // does nothing after Keep
	leak.Files(t, dir, ".file.part")
	for _, size := range []int64{0, 4, 6} {
		if _, err := openFile(t.Context(), target, 0, size); !errors.Is(err, errUnfit) {
			t.Errorf("size %d: got %v, want errUnfit", size, err)
		}
	}
	if err := os.Truncate(PartialName(target.Path()), 5); err != nil { // the openFile of size 6 has extended it
		t.Fatal(err)
	}
	if temp, err = openFile(t.Context(), target, 0, 5); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(temp.Datasync(), temp.Publish()); err != nil {
		t.Fatal(err)
	}
	leak.Files(t, dir, "file")
	if got, _ := os.ReadFile(target.Path()); string(got) != "12345" || !temp.Published() {
		t.Errorf("got %q, published %v", got, temp.Published())
	}
	if f, err := os.Open(target.Path()); err != nil || osfile.Marked(f) {
		t.Errorf("%v, or the file still has the mark", err)
	} else {
		f.Close()
	}
}

// A file system that cannot set the size of a file leaves a partial file shorter than the object.
// It is resumed all the same.
func TestPartialIsShort(t *testing.T) {
	leak.Check(t)
	target := targetIn(t, t.TempDir())
	target.System().SetFault(func(op, _ string) error {
		if op == "fallocate" || op == "truncate" {
			return syscall.EPERM
		}
		return nil
	})
	temp, err := createFile(target, 5)
	if err != nil {
		t.Fatal(err)
	}
	temp.File().WriteAt([]byte("123"), 0)
	temp.Keep()
	if temp, err = openFile(t.Context(), target, 0, 5); err != nil {
		t.Fatal(err)
	}
	if err := temp.Publish(); err == nil {
		t.Error("a short file was published")
	}
	temp.Keep()
	if temp, err = openFile(t.Context(), target, 0, 5); err != nil {
		t.Fatal(err)
	}
	temp.File().WriteAt([]byte("45"), 3)
	if err := temp.Publish(); err != nil {
		t.Error(err)
	}
	if got, _ := os.ReadFile(target.Path()); string(got) != "12345" {
		t.Errorf("got %q", got)
	}
}

// A worker of a killed process still has the file open for a moment. openFile waits for it.
func TestOpenPartialWaits(t *testing.T) {
	leak.Check(t)
	target := targetIn(t, t.TempDir())
	temp, err := createFile(target, 5)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := openFile(ctx, target, 0, 5); errors.Is(err, nil) {
		t.Skip("the file system has no locks")
	} else if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want it to wait until it is canceled", err)
	}
	if _, err := openFile(t.Context(), target, 0, 5); !errors.Is(err, errUnfit) {
		t.Errorf("got %v, want errUnfit of a file that stays in use", err)
	}
	opened := make(chan error)
	go func() {
		next, err := openFile(t.Context(), target, 0, 5)
		if err == nil {
			next.Discard()
		}
		opened <- err
	}()
	temp.Keep()
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

// A Publish that fails leaves a partial file, and the next download can open it.
func TestPartialPublishFails(t *testing.T) {
	for _, call := range []string{"stat", "close", "rename"} {
		t.Run(call, func(t *testing.T) {
			leak.Check(t)
			dir := t.TempDir()
			target := targetIn(t, dir)
			temp, err := createFile(target, 5)
			if err != nil {
				t.Fatal(err)
			}
			failed := errors.New("failed")
			restore := target.System().SetFault(func(op, _ string) error {
				if op == call {
					return failed
				}
				return nil
			})
			err = temp.Publish()
			restore()
			if !errors.Is(err, failed) {
				t.Errorf("got %v, want %v", err, failed)
			}
			temp.Keep()
			leak.Files(t, dir, ".file.part")
		})
	}
}

func TestPartialRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	target := targetIn(t, dir)
	if err := os.Mkdir(PartialName(target.Path()), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := openFile(t.Context(), target, 0, 5); !errors.Is(err, errUnfit) {
		t.Errorf("got %v, want errUnfit", err)
	}
	if _, err := createFile(target, 5); !errors.Is(err, sink.ErrNotRegular) {
		t.Errorf("got %v, want ErrNotRegular", err)
	}
	leak.Files(t, dir, ".file.part")
}
