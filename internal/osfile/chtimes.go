package osfile

import (
	"os"
	"time"
)

// Chtimes sets the modification time of an open file, which may be open for reading only.
func (s *System) Chtimes(f *os.File, modified time.Time) error {
	err := s.before("chtimes", f.Name())
	if err == nil {
		err = chtimes(f, modified)
	}
	return Error("chtimes", f.Name(), err)
}
