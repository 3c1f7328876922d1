package writeback

import (
	"os"

	"golang.org/x/sys/unix"
)

// Begin has the kernel begin to write n bytes of a file at an offset, and waits for none of them. An error is left for
// fsync, which tells it again: what is asked for here does not take it away (sync_file_range(2)).
func Begin(f *os.File, offset, n int64) {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) { unix.SyncFileRange(int(fd), offset, n, unix.SYNC_FILE_RANGE_WRITE) })
}
