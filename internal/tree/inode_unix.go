//go:build unix

package tree

import (
	"io/fs"
	"syscall"
)

func inodeOf(info fs.FileInfo) (uint64, bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return stat.Ino, true
}
