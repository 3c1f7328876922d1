//go:build unix

package tree

import (
	"io/fs"
	"syscall"
)

// identify returns the identity of the file at name. info is from Stat.
func (t *Tree) identify(_ string, info fs.FileInfo) (identity, bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, false
	}
	return identity{uint64(stat.Dev), uint64(stat.Ino)}, true
}
