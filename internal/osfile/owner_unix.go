//go:build unix

package osfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

func owned(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

func foreign(info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || !info.Mode().IsRegular():
		return errors.New("it is not a regular file")
	case int(stat.Uid) != os.Geteuid():
		return errors.New("it belongs to another user")
	case stat.Nlink > 1:
		return fmt.Errorf("it has %d names (hard links)", stat.Nlink)
	case info.Mode()&OthersWrite != 0:
		return fmt.Errorf("other users may write to it: its mode is %#o", info.Mode().Perm())
	}
	return nil
}
