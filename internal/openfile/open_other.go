//go:build !windows

package openfile

import (
	"io/fs"
	"os"
)

// Open is os.OpenFile.
func Open(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}
