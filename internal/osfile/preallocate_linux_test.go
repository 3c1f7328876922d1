package osfile

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFallocateInterrupted counts the calls, which shows how their size shrinks: all bytes, a half,
// a quarter that succeeds and one that does not, and the rest in six calls of the smallest size.
func TestFallocateInterrupted(t *testing.T) {
	const size = 7<<20 + 5
	f := file(t, "")
	s, calls := &System{}, 0
	s.SetFault(func(op, path string) error {
		if calls++; calls == 1 || calls == 2 || calls == 4 {
			return unix.EINTR
		}
		return nil
	})
	if err := s.Preallocate(f, size); err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Sys().(*syscall.Stat_t).Blocks * 512; info.Size() != size || got < size {
		t.Errorf("the file has %d bytes and %d allocated, want %d", info.Size(), got, size)
	}
	if calls != 10 {
		t.Errorf("%d calls, want 10", calls)
	}
}
