//go:build !linux

package main

import "os"

// newBuffer creates a temporary file. Where the system can, it has no name any more.
func newBuffer() (f *os.File, remove func(), err error) {
	f, err = os.CreateTemp("", "s3get-")
	if err != nil {
		return nil, nil, err
	}
	name := f.Name()
	if os.Remove(name) == nil {
		return f, func() {}, nil
	}
	return f, func() { os.Remove(name) }, nil // Windows removes no file that is open
}
