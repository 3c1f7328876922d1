//go:build !unix

package osfile

import (
	"io/fs"
	"path/filepath"
)

// deviceOf returns the volume in a file's name: a FileInfo does not tell the file system here. A
// volume that is mounted on a folder is not told apart.
func deviceOf(name string, _ fs.FileInfo) (device any, known bool) {
	volume := filepath.VolumeName(name)
	return volume, volume != ""
}
