package tree

import (
	"io/fs"

	"golang.org/x/sys/windows"
)

// identify returns the identity of the file at name. A FileInfo does not have it here.
func (t *Tree) identify(name string, _ fs.FileInfo) (identity, bool) {
	f, err := t.root.Open(name)
	if err != nil {
		return identity{}, false
	}
	defer f.Close()
	conn, err := f.SyscallConn()
	if err != nil {
		return identity{}, false
	}
	var info windows.ByHandleFileInformation
	var result error
	err = conn.Control(func(fd uintptr) {
		result = windows.GetFileInformationByHandle(windows.Handle(fd), &info)
	})
	if err != nil || result != nil {
		return identity{}, false
	}
	file := uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow)
	return identity{uint64(info.VolumeSerialNumber), file}, true
}
