//go:build !unix

package osfile

import (
	"io/fs"
	"os"
)

func widen(name string, info fs.FileInfo) bool {
	return os.Chmod(name, info.Mode().Perm()|OwnerAccess) == nil
}
