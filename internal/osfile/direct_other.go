//go:build !linux

package osfile

import (
	"errors"
	"os"
)

// OpenDirect fails: only Linux has files that are written past the page cache by way of a descriptor
// of another process.
func (s *System) OpenDirect(f *os.File) (direct *os.File, align int64, err error) {
	return nil, 0, Error("direct", f.Name(), errors.ErrUnsupported)
}
