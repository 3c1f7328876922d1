package sink

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestResolveDescriptor follows links in /proc/self/fd, as does /dev/stdout.
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

	if target, err := Resolve(nil, descriptor(f)); err != nil || target.Path() != path {
		t.Errorf("a file: got %q, %v, want %q", target.Path(), err, path)
	}
	if _, err := Resolve(nil, descriptor(w)); !errors.Is(err, ErrNotRegular) || !strings.Contains(err.Error(), "is a named pipe") {
		t.Errorf("a pipe: got %v, want %v", err, ErrNotRegular)
	}
	// The link's text is now "…/file (deleted)", which is also a valid path.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if target, err := Resolve(nil, descriptor(f)); !errors.Is(err, ErrNotRegular) {
		t.Errorf("a file without a name: got %q, %v, want %v", target.Path(), err, ErrNotRegular)
	}
}
