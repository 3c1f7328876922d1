package worker

import (
	"os"

	"github.com/s3processpool/processpool/internal/osfile"
)

// splitFile writes to a file what it can by a descriptor that goes past the page cache, and the rest by
// the other one. No page is written both ways: what does not fill a page whole goes through the cache.
type splitFile struct {
	file   *os.File // nil: the job has none
	direct *os.File // nil: everything goes through the cache
	align  int64    // of what is written direct; a multiple of the page size
	went   int64    // bytes written direct
}

// WriteAt implements io.WriterAt. p should begin at an address that is aligned, as the offset is.
func (s *splitFile) WriteAt(p []byte, offset int64) (n int, err error) {
	if s.direct == nil {
		return s.file.WriteAt(p, offset)
	}
	first := (offset + s.align - 1) &^ (s.align - 1)
	end := (offset + int64(len(p))) &^ (s.align - 1)
	if first >= end {
		return s.file.WriteAt(p, offset)
	}
	if n, err = s.file.WriteAt(p[:first-offset], offset); err != nil {
		return n, err
	}
	m, err := s.direct.WriteAt(p[first-offset:end-offset], first)
	n += m
	s.went += int64(m)
	if err != nil {
		if !osfile.Cannot(err) {
			return n, err
		}
		s.discard()
	}
	m, err = s.file.WriteAt(p[n:], offset+int64(n))
	return n + m, err
}

func (s *splitFile) close() {
	if s.file != nil {
		s.file.Close()
	}
	s.discard()
}

// discard closes the second descriptor.
func (s *splitFile) discard() {
	if s.direct != nil {
		s.direct.Close()
		s.direct = nil
	}
}
