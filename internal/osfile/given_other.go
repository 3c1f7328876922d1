//go:build !unix && !windows

package osfile

import (
	"errors"
	"os"
)

// Duplicate fails: this platform has no workers that could get the file.
func Duplicate(*os.File) (*os.File, error) { return nil, errors.ErrUnsupported }

// Unwritable returns "": the writes find out.
func Unwritable(*os.File) (reason string) { return "" }

// DeviceSize returns false: the writes find out.
func DeviceSize(*os.File) (size int64, known bool) { return 0, false }
