package osfile

import "os"

// attribute is the extended attribute that marks a file as unfinished: created by this library and
// not published. The name of a file alone proves nothing, because "build.deadbeef" may be any
// program's.
const attribute = "user.processpool"

// Mark marks an open file as unfinished. It does nothing on a file system without extended
// attributes, and on systems other than Linux and macOS.
func Mark(f *os.File) { mark(f) }

// Unmark removes the mark.
func Unmark(f *os.File) { unmark(f) }

// Marked reports whether an open file has the mark.
func Marked(f *os.File) bool { return marked(f) }

// Unmarked reports whether an open file has no mark, although its file system keeps marks.
func Unmarked(f *os.File) bool { return unmarked(f) }

// Bare reports whether an open file has no attribute of a user, although its file system keeps them.
func Bare(f *os.File) bool { return bare(f) }
