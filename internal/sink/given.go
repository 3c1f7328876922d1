package sink

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/s3processpool/processpool/internal/osfile"
)

// ErrNotWritable is matched by every error that rejects an open file because bytes cannot be written
// to it at offsets.
var ErrNotWritable = errors.New("the file cannot be written to at offsets")

// GivenOptions are what a download asks for of a file that the caller has opened.
type GivenOptions struct {
	Durable bool        // it must be synced
	Mode    fs.FileMode // the permissions it gets; 0: it keeps its own
	Times   bool        // it gets a modification time
	Direct  bool        // what can be is written past the page cache
}

// Given is a file that the caller has opened: a regular file, perhaps without a name, or a block
// device. A download writes to it from offset 0 on. There is no other file that could be renamed or
// removed: after an error, the content is undefined. Whoever made the descriptor closes it.
//
// One goroutine owns a Given, as it does a Temp, whose methods these are.
type Given struct {
	sys     *osfile.System
	file    *os.File
	options GivenOptions
	info    fs.FileInfo
	size    int64
	second  second
}

// Accept checks an open file, and changes nothing. Pipes, sockets, terminals, directories, and files
// that are open for reading only, for appending, or for direct input and output, are refused.
func Accept(sys *osfile.System, f *os.File, o GivenOptions) (*Given, error) {
	info, err := sys.Stat(f)
	if err != nil {
		return nil, err
	}
	device := info.Mode()&(fs.ModeDevice|fs.ModeCharDevice) == fs.ModeDevice
	switch {
	case device && (o.Mode != 0 || o.Times):
		err = &refusal{"is a device, whose mode and modification time are not set", []error{ErrNotWritable, fs.ErrInvalid, syscall.EINVAL}}
	case !device:
		err = Regular(info)
	}
	if err == nil {
		if reason := osfile.Unwritable(f); reason != "" {
			err = &refusal{reason, []error{ErrNotWritable, fs.ErrInvalid, syscall.EBADF}}
		}
	}
	if err != nil {
		return nil, osfile.Error("accept", f.Name(), err)
	}
	return &Given{sys: sys, file: f, options: o, info: info}, nil
}

// Prepare makes the file ready for size bytes. A regular file that is larger is cut, and one that is
// smaller gets the size and, where the file system can, its blocks. A device must have room.
func (g *Given) Prepare(size int64) error {
	if err := g.cut(size); err != nil {
		return err
	}
	if size == 0 {
		return nil
	}
	if !g.info.Mode().IsRegular() {
		if room, known := osfile.DeviceSize(g.file); known && room < size {
			return osfile.Error("prepare", g.file.Name(), fmt.Errorf("%w: the device has %d bytes, the download %d",
				syscall.ENOSPC, room, size))
		}
	} else if err := g.sys.Preallocate(g.file, size); err != nil {
		return err
	}
	if g.options.Direct { // the blocks may change what the file can do
		g.second.open(g.sys, g.file)
	}
	return nil
}

// PrepareUnsized is Prepare for a size that is not known yet. The caller must call Sized before
// Publish.
func (g *Given) PrepareUnsized() error { return g.cut(0) }

// cut cuts a regular file that has more bytes.
func (g *Given) cut(size int64) error {
	g.size = size
	if g.options.Durable {
		if err := explain(g.sys.CanSync(g.file, g.info)); err != nil {
			return err
		}
	}
	info, err := g.sys.Stat(g.file)
	if err != nil || !info.Mode().IsRegular() || info.Size() <= size {
		return err
	}
	return g.sys.Truncate(g.file, size)
}

// Readable reports whether the file is open for reading, too.
func (g *Given) Readable() bool {
	_, err := g.file.ReadAt(make([]byte, 1), 0)
	return err == nil || err == io.EOF
}

// File returns the open file.
func (g *Given) File() *os.File { return g.file }

// Direct returns a second descriptor, as that of a Temp.
func (g *Given) Direct() (f *os.File, align int64, err error) {
	return g.second.file, g.second.align, g.second.err
}

// Sized sets the size, in bytes, that the file must have when it is complete.
func (g *Given) Sized(size int64) { g.size = size }

// SetModTime sets the file's modification time.
func (g *Given) SetModTime(modified time.Time) error { return g.sys.Chtimes(g.file, modified) }

// Sync commits content and size to stable storage.
func (g *Given) Sync() error { return explain(g.sys.Fsync(g.file)) }

// Seal does nothing: the caller has the file open for writing, so that the system cannot tell whether
// a worker has too.
func (g *Given) Seal(func() bool) error { return nil }

// Publish checks the size, and sets the permissions. There is no name to give.
func (g *Given) Publish() error {
	g.second.close()
	info, err := g.sys.Stat(g.file)
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	if info.Size() != g.size {
		return osfile.Error("publish", g.file.Name(), fmt.Errorf("the file has %d bytes, want %d", info.Size(), g.size))
	}
	if g.options.Mode != 0 && info.Mode().Perm() != g.options.Mode {
		if err := g.sys.Chmod(g.file, g.options.Mode); err != nil {
			return err
		}
	}
	return g.sys.Close(g.file) // network file systems report a failed write on close
}

// SyncDir does nothing: no directory has changed.
func (g *Given) SyncDir() error { return nil }

// Discard leaves the file, which is the caller's.
func (g *Given) Discard() { g.second.close() }

// Duplicate returns a second descriptor of an open file. It shares the file's offset.
func Duplicate(f *os.File) (*os.File, error) { return osfile.Duplicate(f) }
