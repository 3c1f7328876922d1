package osfile

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockedByte is the position of the one byte that is locked. No file reaches it: on Windows a lock
// keeps other handles from reading and writing the locked bytes.
func lockedByte() *windows.Overlapped {
	return &windows.Overlapped{Offset: 1<<32 - 1, OffsetHigh: 1<<31 - 2}
}

func lock(f *os.File) (bool, error) {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	var result error
	err := control(f, func(handle windows.Handle) {
		// A second lock of the same handle would wait for the first.
		windows.UnlockFileEx(handle, 0, 1, 0, lockedByte())
		result = windows.LockFileEx(handle, flags, 0, 1, 0, lockedByte())
	})
	switch {
	case err != nil:
		return false, err
	case errors.Is(result, windows.ERROR_LOCK_VIOLATION):
		return false, nil
	case Cannot(result):
		return true, nil
	case result != nil:
		return false, &os.PathError{Op: "lock", Path: f.Name(), Err: result}
	}
	return true, nil
}

func unlock(f *os.File) {
	control(f, func(handle windows.Handle) { windows.UnlockFileEx(handle, 0, 1, 0, lockedByte()) })
}

func control(f *os.File, do func(windows.Handle)) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	return conn.Control(func(fd uintptr) { do(windows.Handle(fd)) })
}
