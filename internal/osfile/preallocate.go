package osfile

import "os"

// Preallocate sets the size of a file to size bytes, which must be more than zero. Where the file
// system can, it also allocates the blocks of the whole file, so that a full disk is known before
// the first byte is fetched. The names of the calls are fallocate and truncate.
//
// It returns an error only if the storage is full or broken (OfStorage). Whatever else the calls
// return, the file is as good without them: the writes allocate the blocks, and where truncate is
// refused too, they set the size. The size is therefore compared when the file is complete.
func (s *System) Preallocate(f *os.File, size int64) error { return s.preallocate(f, size) }

// extend sets the size of a file, where the file system can.
func (s *System) extend(f *os.File, size int64) error { return Optional(s.Truncate(f, size)) }
