//go:build !linux

package fence

// Marked reports false: this platform has no mark that a wrapper cannot remove.
func Marked() bool { return false }
