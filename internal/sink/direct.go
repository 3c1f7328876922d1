package sink

import (
	"os"

	"github.com/s3processpool/processpool/internal/osfile"
)

// second is a second descriptor of a file, which writes past the page cache.
type second struct {
	file  *os.File // nil: there is none
	align int64    // of what it writes, in bytes
	err   error    // why there is none; nil also if none was asked for
}

// open opens the descriptor where the file system can. Where it cannot, there is none.
func (s *second) open(sys *osfile.System, f *os.File) {
	s.close()
	s.file, s.align, s.err = sys.OpenDirect(f)
}

func (s *second) close() {
	if s.file != nil {
		s.file.Close() // nothing is written by this process
		*s = second{}
	}
}

// Direct returns a Target whose files have a second descriptor that writes past the page cache, where
// the file system can.
func (t Target) Direct() Target {
	t.direct = true
	return t
}

// Direct returns the second descriptor of a Target's Direct, and the alignment of what is written by
// it, in bytes. It is nil where there is none, and after the end. The error says why the file system
// has none.
func (t *Temp) Direct() (f *os.File, align int64, err error) {
	return t.second.file, t.second.align, t.second.err
}
