//go:build unix

package osfile

import (
	"io/fs"
	"syscall"
)

// deviceOf returns the number of the file system that a file is on.
func deviceOf(_ string, info fs.FileInfo) (device any, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, false
	}
	return uint64(stat.Dev), true
}
