package tree

import (
	"crypto/rand"
	"io/fs"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMade bounds what is remembered of files made: some 20 MiB. Of more files than
// that, names which the file system takes for one are not told apart.
const maxMade = 1 << 20

// alike finds out whether the file system takes names for one that differ in case or
// in Unicode normalisation, as those of macOS and Windows do, with a directory that
// it makes and removes. A directory where none can be made is asked nothing more.
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

// Skeleton is the same for any two names that the file system takes for one, and
// sometimes for others.
func (t *Tree) Skeleton(name string) string {
	if !t.alike {
		return name
	}
	return skeleton(name)
}

// skeleton leaves out what normalisation composes and decomposes: all but ASCII,
// and letters that a mark follows. The rest is lower-case.
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

// Made remembers the file at name as one that another name must not replace.
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
