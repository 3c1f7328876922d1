package tree

import (
	"crypto/rand"
	"io/fs"
	"path"
	"strings"
)

// maxDirs limits the memory for directories to about 20 MiB. When there are more, the tree forgets
// all of them, and asks the file system again.
const maxDirs = 1 << 16

// directory is what a Tree knows of one directory. Whether names that differ in case or in Unicode
// normalisation are one file is a property of each directory: below a directory that distinguishes
// them there may be a mount that does not, and ext4, NTFS and others choose for each directory
// (https://docs.kernel.org/filesystems/ext4/overview.html#case-insensitive-file-name-lookups).
type directory struct {
	skeleton string // what the skeletons of its entries begin with
	folds    bool   // names that differ only in case or normalisation are one
	probed   bool   // else it does not exist yet, and folds is that of its parent
}

// directory returns what is known of a directory. One that exists is the same directory by whatever
// name it is reached: another spelling, or a symbolic link.
func (t *Tree) directory(name string) *directory {
	if d := t.dirs[name]; d != nil && d.probed {
		return d
	}
	id, exists := identity{}, false
	info, err := t.root.Stat(name)
	if err == nil && info.IsDir() {
		if id, exists = t.identify(name, info); exists && t.same[id] != nil {
			t.remember(name, t.same[id])
			return t.same[id]
		}
	}
	d := &directory{}
	if name != "." {
		above, base := split(name)
		parent := t.directory(above)
		d.skeleton, d.folds = parent.skeleton+"/"+parent.fold(base), parent.folds
	}
	if err == nil && info.IsDir() {
		d.folds, d.probed = t.folds(name), true
	}
	t.remember(name, d)
	if exists {
		t.same[id] = d
	}
	return d
}

func (t *Tree) remember(name string, d *directory) {
	if len(t.dirs) >= maxDirs {
		clear(t.dirs)
		clear(t.same)
	}
	t.dirs[name] = d
}

// fold returns the skeleton of one of the directory's names.
func (d *directory) fold(base string) string {
	if d.folds {
		return skeleton(base)
	}
	return base
}

// split returns the directory of a name, and its last segment.
func split(name string) (dir, base string) {
	dir, base = path.Split(name)
	return path.Clean(dir), base
}

// folds reports whether a directory equates names that differ in case or in Unicode normalisation,
// as those of macOS and Windows do. It creates and removes a directory there to find out. Where it
// cannot, the answer is true: then names that may be equal wait for each other, and Place looks at
// the files themselves.
func (t *Tree) folds(dir string) bool {
	low := ".processpool-" + strings.ToLower(rand.Text())
	up := strings.ToUpper(low)
	for _, c := range []struct{ name, folded, decomposed string }{
		{low + "\u00e9", up + "\u00e9", low + "e\u0301"},
		{low, up, up}, // a file system may accept no such letter
	} {
		if t.root.Mkdir(path.Join(dir, c.name), 0o700) != nil {
			continue
		}
		defer t.root.Remove(path.Join(dir, c.name))
		for _, other := range []string{c.folded, c.decomposed} {
			if _, err := t.root.Lstat(path.Join(dir, other)); err == nil {
				return true
			}
		}
		return false
	}
	return true
}

// Skeleton returns a string that is the same for any two names that lead to one file: by the case
// or the normalisation of a segment, where its directory folds them, or by a symbolic link. Other
// names may have the same skeleton, too. The skeleton of a name may change when its directory is
// created.
func (t *Tree) Skeleton(name string) string {
	if d := t.dirs[name]; d != nil && d.probed {
		return d.skeleton
	}
	for range maxLinks {
		target, ok := t.link(name)
		if !ok {
			break
		}
		name = target
	}
	if name == "." {
		return ""
	}
	dir, base := split(name)
	d := t.directory(dir)
	return d.skeleton + "/" + d.fold(base)
}

// Made records the file at name, so that Place refuses another name for the same file.
func (t *Tree) Made(name string) {
	if len(t.made) >= maxMade {
		return
	}
	if info, err := t.root.Stat(name); err == nil {
		if id, ok := t.identify(name, info); ok {
			t.made[id] = struct{}{}
		}
	}
}

// maxMade limits the memory for created files to about 30 MiB. Beyond that number of files, a name
// that leads to the file of an earlier one is not detected.
const maxMade = 1 << 20

func (t *Tree) has(name string, info fs.FileInfo) bool {
	id, ok := t.identify(name, info)
	_, made := t.made[id]
	return ok && made
}
