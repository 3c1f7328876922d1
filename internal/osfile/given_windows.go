package osfile

import (
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Duplicate returns a second handle of an open file, which no program that is started inherits.
func Duplicate(f *os.File) (*os.File, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	self := windows.CurrentProcess()
	var handle windows.Handle
	var dupErr error
	if err := conn.Control(func(old uintptr) {
		dupErr = windows.DuplicateHandle(self, windows.Handle(old), self, &handle, 0, false, windows.DUPLICATE_SAME_ACCESS)
	}); err != nil {
		return nil, Error("dup", f.Name(), fs.ErrClosed) // what Control says of it is no error of package os
	}
	if dupErr != nil {
		return nil, Error("dup", f.Name(), dupErr)
	}
	return os.NewFile(uintptr(handle), f.Name()), nil
}

var queryObject = windows.NewLazySystemDLL("ntdll.dll").NewProc("NtQueryObject")

// Unwritable returns why nothing can be written at the offsets of an open file, or "" if it can, or
// if the system does not tell.
func Unwritable(f *os.File) (reason string) {
	conn, err := f.SyscallConn()
	if err != nil {
		return err.Error()
	}
	// OBJECT_BASIC_INFORMATION, of which GrantedAccess is the second field
	// (https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntqueryobject).
	var info [14]uint32
	known := false
	err = conn.Control(func(handle uintptr) {
		const basic = 0 // ObjectBasicInformation
		status, _, _ := queryObject.Call(handle, basic, uintptr(unsafe.Pointer(&info)), unsafe.Sizeof(info), 0)
		known = status == 0
	})
	switch access := info[1]; {
	case err != nil:
		return err.Error()
	case known && access&(windows.FILE_WRITE_DATA|windows.FILE_APPEND_DATA) == 0:
		return "is open for reading only"
	case known && access&windows.FILE_WRITE_DATA == 0:
		return "is open for appending, so that every write would go to its end"
	}
	return ""
}

// DeviceSize returns false: the writes find out.
func DeviceSize(*os.File) (size int64, known bool) { return 0, false }
