//go:build unix

package osfile

import (
	"io/fs"
	"os"
	"syscall"
)

func mayFollow(dir, link fs.FileInfo) bool {
	d, ok := dir.Sys().(*syscall.Stat_t)
	l, also := link.Sys().(*syscall.Stat_t)
	if !ok || !also {
		return false
	}
	shared := dir.Mode()&fs.ModeSticky != 0 && dir.Mode()&0o002 != 0
	return !shared || int(l.Uid) == os.Geteuid() || l.Uid == d.Uid
}
