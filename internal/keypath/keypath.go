// Package keypath makes file names of keys. A key is any string; a file name is not.
// What has no file name of its own below a directory is refused, never mended: a
// mended name could be that of another key.
package keypath

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

// ErrUnsafe is matched by every refusal.
var ErrUnsafe = errors.New("the key cannot be a file of its own below the directory")

// Path is a place below a directory, with slashes between its segments; "." is the
// directory itself.
type Path struct {
	Name string
	Dir  bool // the key ends in a slash, and stands for a directory
}

// Base returns what is left out of the names of all keys that begin with prefix:
// its part up to its last slash. So two keys never get one name.
func Base(prefix string) string { return prefix[:strings.LastIndexByte(prefix, '/')+1] }

// Of returns the place of a key behind its base, on Windows or elsewhere.
func Of(rest string, windows bool) (Path, error) {
	if rest == "" {
		return Path{Name: ".", Dir: true}, nil
	}
	name, dir := strings.CutSuffix(rest, "/")
	first := true
	for segment := range strings.SplitSeq(name, "/") {
		fault := faultOf(segment)
		switch {
		case fault == "" && windows:
			fault = faultOnWindows(segment)
		case segment == "" && first:
			fault = "it begins with a slash"
		}
		if fault != "" {
			return Path{}, fmt.Errorf("%w: %s", ErrUnsafe, fault)
		}
		first = false
	}
	return Path{Name: name, Dir: dir}, nil
}

// faultOf says what is wrong with a segment on every system.
func faultOf(segment string) string {
	switch {
	case segment == "":
		return "it has two slashes in a row"
	case segment == "." || segment == "..":
		return fmt.Sprintf("it has a segment %q", segment)
	case strings.IndexByte(segment, 0) >= 0:
		return "it contains a NUL"
	}
	return ""
}

// Ancestors are the directories above name, the topmost first.
func Ancestors(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(name) {
			if name[i] == '/' && !yield(name[:i]) {
				return
			}
		}
	}
}
