//go:build !unix

package osfile

import "io/fs"

func mayFollow(_, _ fs.FileInfo) bool { return true }
