package lock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// What is locked is one byte that no file reaches: a lock keeps others from reading and writing here.
func place() *windows.Overlapped {
	return &windows.Overlapped{Offset: 1<<32 - 1, OffsetHigh: 1<<31 - 2}
}

// Try locks an open file, or reports false at once if somebody else holds it (LockFileEx). The system takes
// the lock back when the process that has it ends.
func Try(f *os.File) (bool, error) {
	var result error
	err := control(f, func(handle windows.Handle) {
		// A second lock of the same handle would wait for the first.
		windows.UnlockFileEx(handle, 0, 1, 0, place())
		result = windows.LockFileEx(handle, windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, place())
	})
	switch {
	case err != nil:
		return false, err
	case errors.Is(result, windows.ERROR_LOCK_VIOLATION):
		return false, nil
	case errors.Is(result, errors.ErrUnsupported):
		return true, nil
	case result != nil:
		return false, &os.PathError{Op: "lock", Path: f.Name(), Err: result}
	}
	return true, nil
}

// Release gives the lock back.
func Release(f *os.File) {
	control(f, func(handle windows.Handle) { windows.UnlockFileEx(handle, 0, 1, 0, place()) })
}

func control(f *os.File, do func(windows.Handle)) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	return conn.Control(func(fd uintptr) { do(windows.Handle(fd)) })
}
