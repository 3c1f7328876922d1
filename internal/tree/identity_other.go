//go:build !unix && !windows

package tree

import "io/fs"

// identify never knows: a FileInfo has no identity here.
func (t *Tree) identify(string, fs.FileInfo) (identity, bool) { return identity{}, false }
