package journal

import (
	"bufio"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/lock"
	"github.com/s3processpool/processpool/internal/openfile"
)

// Journal is an open journal that nobody else has: its lock is held until Close or Remove. One
// goroutine at a time may use it.
//
// Its descriptor is never passed to another process, so that the lock ends with this one.
type Journal struct {
	file *os.File
	seed uint32 // of the records' CRCs; of a header that was read or written
	end  int64  // where the next record goes
	torn bool   // behind end may be what Read did not take
	bad  bool   // an append failed: what is behind end is not known
}

// draws is how many times a journal may be removed under the hands of Open.
const draws = 100

// Open opens a journal and locks it; it makes an empty one where there is none. Where another holds the
// lock it returns failure.ErrBusy at once. What is at the name and no regular file is an error.
func Open(name string) (*Journal, error) {
	return open(name, os.O_CREATE)
}

// OpenExisting is Open, but makes none.
func OpenExisting(name string) (*Journal, error) { return open(name, 0) }

func open(name string, flag int) (*Journal, error) {
	for range draws {
		if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
			return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
		}
		f, err := openfile.Open(name, flag, 0o600)
		if err != nil {
			return nil, err
		}
		free, err := lock.Try(f)
		if err == nil && !free {
			err = failure.ErrBusy
		}
		if err != nil {
			f.Close()
			return nil, err
		}
		// Who had the lock before may have removed the file: then nobody else would find this one.
		if named(f, name) {
			return &Journal{file: f}, nil
		}
		f.Close()
	}
	return nil, failure.ErrBusy
}

// named tells whether the name still is that of the open file.
func named(f *os.File, name string) bool {
	ours, err := f.Stat()
	if err != nil || !ours.Mode().IsRegular() {
		return false
	}
	there, err := os.Lstat(name)
	return err == nil && os.SameFile(ours, there)
}

// Name is the journal's path.
func (j *Journal) Name() string { return j.file.Name() }

// Read returns what the journal says, as far as it is whole. Further records go behind that. An error is
// io.EOF for an empty file, or one of ErrForeign, ErrFormat and ErrDamaged: Begin makes a journal of it.
func (j *Journal) Read() (Header, []Record, error) {
	counted := &counter{r: io.NewSectionReader(j.file, 0, 1<<62)}
	h, seed, err := decodeHeader(counted)
	if err != nil {
		return Header{}, nil, err
	}
	start := counted.n
	records := decodeRecords(bufio.NewReaderSize(counted, 1<<16), seed, h.Size)
	j.torn = true
	j.seed, j.end = seed, start+int64(len(records))*recordSize
	return h, records, nil
}

// counter counts what was read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// Begin throws away what is there and writes a header. The file, and so the lock, stay.
func (j *Journal) Begin(h Header) error {
	salt := make([]byte, 8)
	rand.Read(salt) // never fails: https://pkg.go.dev/crypto/rand#Read
	p, err := encodeHeader(h, salt)
	if err != nil {
		return &fs.PathError{Op: "write", Path: j.Name(), Err: err}
	}
	if err := j.file.Truncate(0); err != nil {
		return err
	}
	if _, err := j.file.WriteAt(p, 0); err != nil {
		return err
	}
	_, j.seed, err = decodeHeader(io.NewSectionReader(j.file, 0, int64(len(p))))
	j.end, j.torn, j.bad = int64(len(p)), false, false
	return err
}

// Append writes records with one write. After an error the journal takes no more:
// what stands behind the last good record is not known.
func (j *Journal) Append(records []Record) error {
	if j.bad {
		return &fs.PathError{Op: "append", Path: j.Name(), Err: errors.New("an append has failed before")}
	}
	if j.torn { // or old records behind a damaged one would come to light again
		if err := j.file.Truncate(j.end); err != nil {
			return err
		}
		j.torn = false
	}
	p := make([]byte, 0, len(records)*recordSize)
	for _, r := range records {
		p = appendRecord(p, r, j.seed)
	}
	if _, err := j.file.WriteAt(p, j.end); err != nil {
		j.bad = true
		return err
	}
	j.end += int64(len(p))
	return nil
}

// Sync brings the records to stable storage.
func (j *Journal) Sync() error { return j.file.Sync() }

// Close gives the lock back and leaves the file.
func (j *Journal) Close() {
	lock.Release(j.file)
	j.file.Close()
}

// Remove removes the file while it is locked, and closes it.
func (j *Journal) Remove() error {
	defer j.Close()
	if !named(j.file, j.Name()) {
		return nil
	}
	return os.Remove(j.Name())
}
