//go:build linux || darwin || windows

package osfile

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
	lock := func(f *os.File, want bool) {
		t.Helper()
		if got, err := Lock(f); err != nil || got != want {
			t.Errorf("Lock: got %v, %v, want %v", got, err, want)
		}
	}
	first, second := open(), open()
	lock(first, true)
	lock(first, true) // it has the lock already
	lock(second, false)
	Unlock(first)
	lock(second, true)
	second.Close()
	lock(first, true)
	first.Close()
	if _, err := Lock(first); err == nil {
		t.Error("a closed file: got nil, want an error")
	}
}
