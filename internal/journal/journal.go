package journal

import (
	"bufio"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/s3processpool/processpool/internal/osfile"
)

// Journal is an open journal. It is locked until Close or Remove, so that no other download uses
// it. A Journal must not be used by several goroutines at the same time.
//
// Its descriptor is never passed to another process, so that the lock ends with this process.
type Journal struct {
	file *os.File
	seed uint32 // of the records' CRCs: the header's CRC
	end  int64  // the offset of the next record
	torn bool   // the file may have bytes after end that Read did not accept
	bad  bool   // an append failed: the bytes after end are unknown

	replaced error // why Open has replaced an earlier journal; nil: it has not
}

// named reports whether the name refers to the open file.
func named(f *os.File, name string) bool {
	ours, err := f.Stat()
	if err != nil || !ours.Mode().IsRegular() {
		return false
	}
	there, err := os.Lstat(name)
	return err == nil && os.SameFile(ours, there)
}

// Name returns the journal's path.
func (j *Journal) Name() string { return j.file.Name() }

// File returns the open file, for its mark and its times.
func (j *Journal) File() *os.File { return j.file }

// Replaced returns why Open has replaced an earlier journal, which it could not trust, or nil.
func (j *Journal) Replaced() error { return j.replaced }

// Read returns the header and all records up to the first damaged one. Append then continues after
// those. For an empty file the error is io.EOF; for a file without a valid header it matches
// ErrForeign, ErrFormat or ErrDamaged. After each of them Begin starts a new journal in the file.
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

// counter counts the bytes that are read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// Begin truncates the file and writes a header. The file stays the same, and so does the lock. Where
// the file system cannot truncate, records of an older journal may follow the header: their CRCs
// began with that of another header, so Read does not accept them.
func (j *Journal) Begin(h Header) error {
	salt := make([]byte, 8)
	rand.Read(salt) // never fails: https://pkg.go.dev/crypto/rand#Read
	p, err := encodeHeader(h, salt)
	if err != nil {
		return &fs.PathError{Op: "write", Path: j.Name(), Err: err}
	}
	if err := osfile.Optional(j.file.Truncate(0)); err != nil {
		return err
	}
	osfile.Mark(j.file) // a file without the mark is not removed later, whatever it contains
	if _, err := j.file.WriteAt(p, 0); err != nil {
		return err
	}
	_, j.seed, err = decodeHeader(io.NewSectionReader(j.file, 0, int64(len(p))))
	j.end, j.torn, j.bad = int64(len(p)), false, false
	return err
}

// Append appends records with one write. After a failed write every Append fails, because the bytes
// after the last good record are unknown.
func (j *Journal) Append(records []Record) error {
	if j.bad {
		return &fs.PathError{Op: "append", Path: j.Name(), Err: errors.New("an earlier append failed")}
	}
	// Otherwise Read could find old records after the one it now rejects. They would be claims as
	// good as others, so a file system that cannot truncate is no reason to keep nothing.
	if j.torn {
		if err := osfile.Optional(j.file.Truncate(j.end)); err != nil {
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

// Sync commits the records to stable storage. Where the file system cannot sync, the error is
// osfile.Cannot, and the records are as good as without.
func (j *Journal) Sync() error { return j.file.Sync() }

// Close releases the lock and leaves the file.
func (j *Journal) Close() {
	osfile.Unlock(j.file)
	j.file.Close()
}

// Remove removes the file while it is locked, and closes it. If another file has the name, Remove
// leaves that file.
func (j *Journal) Remove() error {
	defer j.Close()
	if !named(j.file, j.Name()) {
		return nil
	}
	return os.Remove(j.Name())
}
