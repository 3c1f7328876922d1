//go:build !linux

package worker

// SetName does nothing here: the process bears its executable's name.
func SetName(string) {}
