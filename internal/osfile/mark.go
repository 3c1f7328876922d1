package osfile

import "os"

// attribute is the extended attribute that marks a file as unfinished: created by this library and
// not published. The name of a file alone proves nothing, because "build.deadbeef" may be any
// program's. The attribute alone does not either, for a process may have been killed when it had
// renamed the file and not yet removed the mark. So its value is made of the name that was marked.
const attribute = "user.processpool"

// KeepsMarks reports whether there are marks on this system.
const KeepsMarks = keepsMarks

// Mark marks an open file as unfinished for as long as it has its name. It does nothing on a file
// system without extended attributes, and on systems other than Linux and macOS.
func Mark(f *os.File) { mark(f) }

// Unmark removes the mark of any name.
func Unmark(f *os.File) { unmark(f) }

// Marked reports whether an open file has the mark of the name by which it was opened.
func Marked(f *os.File) bool { return marked(f) }

// Unmarked reports whether an open file has no mark, or that of another name, although its file system
// keeps marks.
func Unmarked(f *os.File) bool { return unmarked(f) }

// Bare reports whether an open file has no attribute of a user, although its file system keeps them.
func Bare(f *os.File) bool { return bare(f) }
