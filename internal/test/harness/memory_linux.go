package harness

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Memory returns a file in memory, which can be sealed. It is closed when the test ends.
func Memory(t *testing.T) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("object", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "object")
	t.Cleanup(func() { f.Close() })
	return f
}
