package sink

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestResolveDescriptor follows the links of /proc/self/fd, where /dev/stdout leads too.
func TestResolveDescriptor(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	descriptor := func(f *os.File) string { return fmt.Sprint("/proc/self/fd/", f.Fd()) }

	if target, err := Resolve(descriptor(f)); err != nil || target.Path() != path {
		t.Errorf("a file: got %q, %v, want %q", target.Path(), err, path)
	}
	if _, err := Resolve(descriptor(w)); !errors.Is(err, ErrNotRegular) || !strings.Contains(err.Error(), "is a named pipe") {
		t.Errorf("a pipe: got %v, want %v", err, ErrNotRegular)
	}
	// Its text is now "…/file (deleted)", which would do as a name.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if target, err := Resolve(descriptor(f)); !errors.Is(err, ErrNotRegular) {
		t.Errorf("a file without a name: got %q, %v, want %v", target.Path(), err, ErrNotRegular)
	}
}
