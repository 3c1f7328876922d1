//go:build linux || darwin || windows

package lock

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
)

func TestLock(t *testing.T) {
	leak.Check(t)
	name := filepath.Join(t.TempDir(), "file")
	open := func() *os.File {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	try := func(f *os.File, want bool) {
		t.Helper()
		if got, err := Try(f); err != nil || got != want {
			t.Errorf("Try: got %v, %v, want %v", got, err, want)
		}
	}
	first, second := open(), open()
	try(first, true)
	try(first, true) // its own
	try(second, false)
	Release(first)
	try(second, true)
	second.Close()
	try(first, true)
	first.Close()
	if _, err := Try(first); err == nil {
		t.Error("a closed file: got nil, want an error")
	}
}
