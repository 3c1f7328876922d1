package osfile

import "io/fs"

// MayFollow reports whether a symbolic link in a directory may be followed, by the rule of Linux'
// protected_symlinks: in a directory in which everybody can create files, and which is sticky, only
// a link of this user's or of the directory's owner. Everybody else could have put it there. Most
// systems have the kernel apply the rule, and some do not
// (https://docs.kernel.org/admin-guide/sysctl/fs.html#protected-symlinks).
func MayFollow(dir, link fs.FileInfo) bool { return mayFollow(dir, link) }
