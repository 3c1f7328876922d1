// Package keypath derives file names from keys. A key can be any string; a file name cannot. A key
// without a file name of its own below the directory is refused and never repaired, because the
// repaired name could belong to another key.
package keypath

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

// ErrUnsafe is matched by every error of Of, and of package tree for a name that it refuses.
var ErrUnsafe = errors.New("the key has no safe path below the directory")

// Path is a path below a directory, with slashes between its segments. "." is the directory itself.
type Path struct {
	Name string
	Dir  bool // the key ends in a slash, and stands for a directory
}

// Base returns the part of prefix up to and including its last slash. The file names of all keys
// that begin with prefix omit it, so two keys never get the same name.
func Base(prefix string) string { return prefix[:strings.LastIndexByte(prefix, '/')+1] }

// Of returns the path for rest, a key without its base. windows selects the naming rules of
// Windows.
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

// faultOf describes what makes a segment invalid on every system, "" if nothing does.
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

// Ancestors returns the directories above name, the topmost first.
func Ancestors(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(name) {
			if name[i] == '/' && !yield(name[:i]) {
				return
			}
		}
	}
}
