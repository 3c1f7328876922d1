package osfile

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// chtimes sets the time of the last access too, for futimes(2) sets both.
func chtimes(f *os.File, modified time.Time) error {
	times := []unix.Timeval{{Sec: time.Now().Unix()}, {Sec: modified.Unix(), Usec: int32(modified.Nanosecond() / 1000)}}
	return control(f, func(fd int) error { return unix.Futimes(fd, times) })
}
