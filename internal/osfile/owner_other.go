//go:build !unix

package osfile

import (
	"errors"
	"io/fs"
)

func owned(fs.FileInfo) bool { return true }

func foreign(info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errors.New("it is not a regular file")
	}
	return nil
}
