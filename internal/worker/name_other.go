//go:build !linux

package worker

// SetName does nothing: the process has the name of its executable.
func SetName(string) {}
