package osfile

import (
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// chtimes sets the time in units of 100 ns since 1601, which cannot be earlier.
func chtimes(f *os.File, modified time.Time) error {
	const from1601 = 11644473600 // seconds, to 1970
	units := (modified.Unix()+from1601)*1e7 + int64(modified.Nanosecond()/100)
	if units <= 0 {
		return windows.ERROR_INVALID_PARAMETER
	}
	mtime := windows.Filetime{LowDateTime: uint32(units), HighDateTime: uint32(units >> 32)}
	return windows.SetFileTime(windows.Handle(f.Fd()), nil, nil, &mtime)
}
