//go:build !unix

package tree

import "io/fs"

// inodeOf always returns false: a FileInfo has no inode number here.
func inodeOf(fs.FileInfo) (uint64, bool) { return 0, false }
