//go:build unix

package osfile

import (
	"io/fs"
	"syscall"
)

// deviceOf returns the number of the file system that a file is on.
func deviceOf(info fs.FileInfo) (device uint64, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return uint64(stat.Dev), true
}
