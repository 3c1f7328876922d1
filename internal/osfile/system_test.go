package osfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/test/leak"
)

// file creates a file of the given content in a directory of its own.
func file(t *testing.T, content string) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Open(name, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// calls are the methods of a System that a test can make fail, by the name of the call. Each
// returns an error if it was made and had no effect.
var calls = map[string]func(s *System, f *os.File) error{
	"open": func(s *System, f *os.File) error {
		created, err := s.Create(f.Name()+".new", 0o644)
		created.Close()
		return err
	},
	"reopen": func(s *System, f *os.File) error {
		again, err := s.Reopen(f.Name())
		again.Close()
		return err
	},
	"stat": func(s *System, f *os.File) error {
		info, err := s.Stat(f)
		if err == nil && info.Size() != 3 {
			err = fmt.Errorf("got %d bytes, want 3", info.Size())
		}
		return err
	},
	"chmod": func(s *System, f *os.File) error { return s.Chmod(f, 0o600) },
	"chtimes": func(s *System, f *os.File) error {
		want := time.Unix(1_000_000_000, 0)
		if err := s.Chtimes(f, want); err != nil {
			return err
		}
		info, err := f.Stat()
		if err == nil && !info.ModTime().Equal(want) {
			err = fmt.Errorf("got the time %v, want %v", info.ModTime(), want)
		}
		return err
	},
	"truncate":  func(s *System, f *os.File) error { return s.Truncate(f, 1) },
	"fsync":     func(s *System, f *os.File) error { return s.Fsync(f) },
	"fdatasync": func(s *System, f *os.File) error { return s.Datasync(f) },
	"close":     func(s *System, f *os.File) error { return s.Close(f) },
	"rename":    func(s *System, f *os.File) error { return s.Rename(f.Name(), f.Name()+".renamed") },
	"remove":    func(s *System, f *os.File) error { return s.Remove(f.Name()) },
	"syncdir":   func(s *System, f *os.File) error { return s.SyncDir(filepath.Dir(f.Name())) },
}

// TestSystemIsPlain makes every call without a System, and with one that has no fault.
func TestSystemIsPlain(t *testing.T) {
	leak.Check(t)
	for _, s := range []*System{nil, {}} {
		for op, call := range calls {
			if err := call(s, file(t, "old")); err != nil {
				t.Errorf("%s: %v", op, err)
			}
		}
	}
}

// TestFaultReplacesCall fails every call. The error names it, and the file is as before.
func TestFaultReplacesCall(t *testing.T) {
	leak.Check(t)
	for op, call := range calls {
		t.Run(op, func(t *testing.T) {
			f := file(t, "old")
			before, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			s, asked := &System{}, []string(nil)
			failed := errors.New("failed")
			s.SetFault(func(op, path string) error {
				asked = append(asked, op)
				return &fs.PathError{Op: "inner", Path: path, Err: failed}
			})
			err = call(s, f)
			var pathError *fs.PathError
			var linkError *os.LinkError
			switch {
			case !errors.Is(err, failed):
				t.Errorf("got %v, want %v", err, failed)
			case op == "rename":
				if !errors.As(err, &linkError) || linkError.Op != op {
					t.Errorf("got %#v, want a LinkError of %s", err, op)
				}
			case !errors.As(err, &pathError) || pathError.Op != op || pathError.Err != failed:
				t.Errorf("got %#v, want a PathError of %s", err, op)
			}
			if !slices.Equal(asked, []string{op}) {
				t.Errorf("asked about %q, want %q once", asked, op)
			}
			after, err := os.Stat(f.Name())
			if err != nil || after.Size() != 3 || after.Mode() != before.Mode() || !os.SameFile(before, after) {
				t.Errorf("the file was changed: %v, %v", after, err)
			}
			leak.Files(t, filepath.Dir(f.Name()), "file")
			if _, err := f.Stat(); (op == "close") != errors.Is(err, os.ErrClosed) {
				t.Errorf("Stat after the call: %v", err)
			}
		})
	}
}

func TestSetFaultRestores(t *testing.T) {
	s := &System{}
	first, second := errors.New("first"), errors.New("second")
	undoFirst := s.SetFault(func(op, path string) error { return first })
	undoSecond := s.SetFault(func(op, path string) error { return second })
	if got := s.before("op", "path"); got != second {
		t.Errorf("got %v, want %v", got, second)
	}
	undoSecond()
	if got := s.before("op", "path"); got != first {
		t.Errorf("got %v, want %v", got, first)
	}
	undoNil := s.SetFault(nil)
	if got := s.before("op", "path"); got != nil {
		t.Errorf("got %v, want none", got)
	}
	undoNil()
	undoFirst()
	if got := s.before("op", "path"); got != nil {
		t.Errorf("got %v, want none", got)
	}
}

// TestSetFaultOfOne sets a fault while others use the System, and another one has none.
func TestSetFaultOfOne(t *testing.T) {
	one, other := &System{}, &System{}
	f := file(t, "old")
	failed := errors.New("failed")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				one.SetFault(func(op, path string) error { return failed })
				if _, err := one.Stat(f); !errors.Is(err, failed) {
					t.Errorf("with a fault: got %v, want %v", err, failed)
				}
				if _, err := other.Stat(f); err != nil {
					t.Errorf("without a fault: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

// TestOpenIsExclusive creates a file that exists: temporary names are random, so that no other test
// would notice.
func TestOpenIsExclusive(t *testing.T) {
	existing := file(t, "old")
	f, err := (*System)(nil).Create(existing.Name(), 0o666)
	if !errors.Is(err, fs.ErrExist) {
		f.Close()
		t.Errorf("got %v, want %v", err, fs.ErrExist)
	}
	if got, err := os.ReadFile(existing.Name()); err != nil || string(got) != "old" {
		t.Errorf("got %q, %v, want the old content", got, err)
	}
}

func TestOpenFollowsNoLink(t *testing.T) {
	existing := file(t, "old")
	link := existing.Name() + ".link"
	if err := os.Symlink(existing.Name(), link); err != nil {
		t.Skip(err)
	}
	if runtime.GOOS == "windows" {
		t.Skip("Open opens the link itself")
	}
	if f, err := Open(link, 0, 0); err == nil {
		f.Close()
		t.Error("got nil, want an error")
	}
}

func TestMark(t *testing.T) {
	f := file(t, "old")
	if Marked(f) {
		t.Error("a new file has the mark")
	}
	Mark(f)
	if !Marked(f) {
		t.Skip("the file system stores no mark")
	}
	moved := f.Name() + ".moved"
	if err := os.Rename(f.Name(), moved); err != nil {
		t.Fatal(err)
	}
	other, err := os.Open(moved)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if Marked(other) || !Unmarked(other) {
		t.Error("the file has the mark under another name, too")
	}
	Unmark(other)
	if Marked(f) || !Bare(f) {
		t.Error("the mark was not removed")
	}
}

func TestWriteBack(t *testing.T) {
	f := file(t, "old")
	WriteBack(f, 0, 3)
	f.Close()
	WriteBack(f, 0, 3) // has no error to report
}

func TestPreallocate(t *testing.T) {
	f := file(t, "")
	for _, size := range []int64{1, 4097, 3 << 20} {
		if err := (*System)(nil).Preallocate(f, size); err != nil {
			t.Errorf("size=%d: %v", size, err)
		}
		if info, err := f.Stat(); err != nil || info.Size() != size {
			t.Errorf("size=%d: got %d bytes, %v", size, info.Size(), err)
		}
	}
}

// TestWritersWait: the documentation tells users of 5 s.
func TestWritersWait(t *testing.T) {
	for _, s := range []*System{nil, {}} {
		if got := s.WritersWait(); got != 5*time.Second {
			t.Errorf("got %v, want 5s", got)
		}
	}
	if got := (&System{Wait: time.Hour}).WritersWait(); got != time.Hour {
		t.Errorf("got %v, want what the test has set", got)
	}
}
