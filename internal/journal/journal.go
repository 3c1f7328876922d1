package journal

import (
	"bufio"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/s3processpool/processpool/internal/failure"
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
}

// attempts is how often Open opens the file if others remove it between open and lock.
const attempts = 100

// Open opens a journal and locks it. It creates an empty one if there is none. If another open file
// has the lock, Open returns failure.ErrBusy immediately. A file that is not regular is an error.
// One that its owner may not read or write, because of a umask or a copy, gets the permissions.
func Open(name string) (*Journal, error) { return open(name, os.O_CREATE, osfile.OpenOwn) }

// OpenExisting is like Open, but returns fs.ErrNotExist if there is no journal, and does not change
// the permissions of the file, which may not be a journal.
func OpenExisting(name string) (*Journal, error) { return open(name, 0, osfile.Open) }

type opener func(name string, flag int, perm fs.FileMode) (*os.File, error)

func open(name string, flag int, openFile opener) (*Journal, error) {
	for range attempts {
		if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
			return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
		}
		f, err := openFile(name, flag, osfile.OwnerAccess)
		if err != nil {
			return nil, err
		}
		locked, err := osfile.Lock(f)
		if err == nil && !locked {
			err = failure.ErrBusy
		}
		if err != nil {
			f.Close()
			return nil, err
		}
		// The previous owner of the lock may have removed the file. Others would not find this one.
		if named(f, name) {
			return &Journal{file: f}, nil
		}
		f.Close()
	}
	return nil, failure.ErrBusy
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
