package osfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// WriteBack makes the kernel start to write n bytes of a file at an offset to the disk, so that
// little is left for the fsync at the end. It does not wait for them. It reports no errors: an
// fsync later reports an error of these writes, because sync_file_range(2) does not clear it.
func WriteBack(f *os.File, offset, n int64) {
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	conn.Control(func(fd uintptr) {
		unix.SyncFileRange(int(fd), offset, n, unix.SYNC_FILE_RANGE_WRITE)
	})
}
