package osfile

import "io/fs"

// Owned reports whether the effective user of this process owns a file. Where files have no such
// owner it returns true.
func Owned(info fs.FileInfo) bool { return owned(info) }

// Foreign returns nil if nobody but this user can have written to a file: it is a regular file of
// the user's with one name, and neither its group nor others may write to it. Otherwise the error
// says what is the matter. An access control list that lets others write shows in the bits of the
// group (https://man7.org/linux/man-pages/man5/acl.5.html). The user's own programs, and root, are
// not others.
//
// Where files have no owner, Foreign looks at the type only.
func Foreign(info fs.FileInfo) error { return foreign(info) }

// OthersWrite are the permissions with which a file can be written to by users who do not own it.
const OthersWrite fs.FileMode = 0o022
