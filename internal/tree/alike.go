package tree

import (
	"crypto/rand"
	"io/fs"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMade limits the memory for created files to about 20 MiB. Beyond that number of files, a name
// that the file system equates with an earlier one is not detected.
const maxMade = 1 << 20

// alike reports whether the file system equates names that differ in case or in Unicode
// normalisation, as those of macOS and Windows do. It creates and removes a directory to find out.
// It returns false if it cannot create one.
func alike(root *os.Root) bool {
	name := ".processpool-" + strings.ToLower(rand.Text())
	if root.Mkdir(name+"\u00e9", 0o700) != nil {
		return false
	}
	defer root.Remove(name + "\u00e9")
	for _, other := range []string{strings.ToUpper(name) + "\u00e9", name + "e\u0301"} {
		if _, err := root.Lstat(other); err == nil {
			return true
		}
	}
	return false
}

// Skeleton returns a string that is the same for any two names that the file system equates. Other
// names may have the same skeleton, too.
func (t *Tree) Skeleton(name string) string {
	if !t.alike {
		return name
	}
	return skeleton(name)
}

// skeleton removes everything that normalisation composes or decomposes: non-ASCII characters, and
// letters followed by a combining mark. It converts the rest to lower case.
func skeleton(name string) string {
	var b strings.Builder
	for i, r := range name {
		if r >= utf8.RuneSelf {
			continue
		}
		if next, _ := utf8.DecodeRuneInString(name[i+1:]); unicode.Is(unicode.Mn, next) {
			continue
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// Made records the file at name, so that Place refuses another name for the same file.
func (t *Tree) Made(name string) {
	if !t.alike || len(t.made) >= maxMade {
		return
	}
	if info, err := t.root.Stat(name); err == nil {
		if inode, ok := inodeOf(info); ok {
			t.made[inode] = struct{}{}
		}
	}
}

func (t *Tree) has(info fs.FileInfo) bool {
	if !t.alike {
		return false
	}
	inode, ok := inodeOf(info)
	_, made := t.made[inode]
	return ok && made
}
