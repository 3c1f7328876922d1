package tree

import (
	"io/fs"
	"path/filepath"
)

// maxLinks is how many symbolic links in a row Linux follows.
const maxLinks = 40

// link returns what the symbolic link at name points to, if that is below the directory of the
// tree. It need not exist: the download of a key whose file is a link writes the file that the link
// points to.
func (t *Tree) link(name string) (target string, ok bool) {
	if dir, _ := split(name); !t.directory(dir).probed {
		return "", false
	}
	info, err := t.root.Lstat(name)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return "", false
	}
	text, err := t.root.Readlink(name)
	if err != nil || filepath.IsAbs(text) { // os.Root does not follow absolute links
		return "", false
	}
	above, _ := split(name)
	dir, base := filepath.Split(text)
	dir = filepath.Join(t.base, filepath.FromSlash(above)) + string(filepath.Separator) + dir
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", false
	}
	inside, err := filepath.Rel(t.base, filepath.Join(dir, base))
	if err != nil || !filepath.IsLocal(inside) {
		return "", false
	}
	return filepath.ToSlash(inside), true
}
