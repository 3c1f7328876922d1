package sink

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/s3processpool/processpool/internal/osfile"
)

// checkLink returns an error if the symbolic link at path may be another user's trap. info is from
// Lstat of path.
func checkLink(path string, info fs.FileInfo) error {
	dir, _ := filepath.Split(path)
	above, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !osfile.MayFollow(above, info) {
		return &refusal{"the symbolic link " + path + " belongs to another user, in a directory where every user can create files",
			[]error{fs.ErrPermission, syscall.EACCES}}
	}
	return nil
}

// checkLinks returns the error of checkLink for the first symbolic link that leads to a directory. It
// reports no other errors: who uses the path meets them again. A link of /proc whose text is no path
// ends the check, for nothing below it can be looked at by name.
func checkLinks(dir string) error {
	separator := string(filepath.Separator)
	volume := filepath.VolumeName(dir)
	at, rest := volume+separator, strings.Split(dir[len(volume):], separator)
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		if name == "" || name == "." {
			continue
		}
		next := at + name
		info, err := os.Lstat(next)
		if err != nil {
			return nil
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next + separator
			continue
		}
		if err := checkLink(next, info); err != nil {
			return osfile.Cause(err)
		}
		text, err := os.Readlink(next)
		if links++; err != nil || links > maxLinks {
			return nil
		}
		if filepath.IsAbs(text) {
			at, text = filepath.VolumeName(text)+separator, text[len(filepath.VolumeName(text)):]
		}
		rest = append(strings.Split(text, separator), rest...)
	}
	return nil
}
