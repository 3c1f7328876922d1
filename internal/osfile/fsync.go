package osfile

import (
	"io/fs"
	"os"
)

// Fsync commits a file's content and metadata to stable storage. An error that is Cannot means that
// the file system has no such call: nothing is known of the bytes, and nothing is wrong with them.
func (s *System) Fsync(f *os.File) error {
	err := s.before("fsync", f.Name())
	if err == nil {
		err = fsync(f)
	}
	return Error("fsync", f.Name(), err)
}

// Datasync commits a file's content to stable storage, and of its metadata only what is needed to
// read it. Where there is no such call, Datasync does what Fsync does. The name of the call is
// fdatasync.
func (s *System) Datasync(f *os.File) error {
	err := s.before("fdatasync", f.Name())
	if err == nil {
		err = datasync(f)
	}
	if Cannot(err) {
		return s.Fsync(f)
	}
	return Error("fdatasync", f.Name(), err)
}

// CanSync tries Fsync with a new file, whose info is from Stat. Where that succeeds, later calls
// for files of the same file system return nil at once, so that a download of many small files does
// not sync each of them twice.
func (s *System) CanSync(f *os.File, info fs.FileInfo) error {
	device, known := deviceOf(f.Name(), info)
	if s != nil && known {
		if _, yes := s.syncs.Load(device); yes {
			return nil
		}
	}
	err := s.Fsync(f)
	if s != nil && known && err == nil {
		s.syncs.Store(device, nil)
	}
	return err
}
