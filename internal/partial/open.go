package partial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/journal"
	"github.com/s3processpool/processpool/internal/sink"
)

// Options of Open.
type Options struct {
	Target sink.Target
	// Header describes the object. If an earlier journal is resumed, that journal's Algorithm is
	// used in place of the Header's.
	Header journal.Header
	// Failed is called at most once, from another goroutine, when written bytes cannot be committed
	// to stable storage.
	Failed func(error)
	Logger *slog.Logger
}

// File is a locked partial file with its journal. Add may be called by several goroutines until
// End; one goroutine owns the rest. The caller must call End.
type File struct {
	Temp      *sink.Temp
	Algorithm checksum.Algorithm // of the sums of all records
	Records   []journal.Record   // of earlier downloads, in the order in which they were appended

	options Options
	journal *journal.Journal
	wake    chan struct{} // has capacity 1
	stop    chan struct{}
	stopped chan struct{}
	synced  time.Time // of the journal's last sync
	broken  bool      // no more records can be appended
	unable  bool      // the file system cannot sync
	err     error     // of the partial file; to be read after stopped is closed
	once    sync.Once // closes stop
	count   int       // of the records in the journal, verified or not

	mu struct {
		sync.Mutex
		pending []journal.Record
	}
}

// Open opens the partial file of an earlier download of the object, or creates one. If another
// download uses it, Open returns failure.ErrBusy immediately. Open may wait up to two seconds for
// the workers of a killed process to close the file.
func Open(ctx context.Context, o Options) (*File, error) {
	j, err := journal.Open(JournalName(o.Target.Path()))
	if err != nil {
		return nil, err
	}
	f := &File{
		options: o,
		journal: j,
		wake:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	err = f.resume(ctx)
	switch {
	case errors.Is(err, errAfresh):
		if !errors.Is(err, errNew) {
			o.Logger.Warn("cannot resume an earlier download", "error", err)
		}
		if err := f.begin(); err != nil {
			j.Remove() // it has no partial file
			return nil, err
		}
	case err != nil:
		j.Close()
		return nil, err
	}
	go f.run()
	return f, nil
}

var (
	errAfresh = errors.New("starting afresh")
	errNew    = errors.New("the journal is empty")
)

// afresh returns an error that matches errAfresh and gives the reason.
func afresh(reason error) error { return fmt.Errorf("%w: %w", errAfresh, reason) }

// resume opens the files of an earlier download. If it returns errAfresh, none can be resumed, and
// the caller must call begin.
func (f *File) resume(ctx context.Context) error {
	header, records, err := f.journal.Read()
	switch {
	case f.journal.Replaced() != nil:
		return afresh(fmt.Errorf("its journal could not be trusted: %w", f.journal.Replaced()))
	case errors.Is(err, io.EOF):
		return afresh(errNew)
	case err != nil:
		return afresh(err)
	case !f.options.Header.Same(header):
		return afresh(errors.New("it is of another object or another version"))
	case !Resumable(header.ETag):
		return afresh(errors.New("the object has no strong ETag"))
	}
	temp, err := openFile(ctx, f.options.Target, header.Perm&fs.ModePerm, header.Size)
	if errors.Is(err, errUnfit) {
		return afresh(err)
	}
	if err != nil {
		return err
	}
	f.Temp, f.Algorithm, f.Records, f.count = temp, header.Algorithm, records, len(records)
	return nil
}

// begin creates the partial file, then the journal's header. The order matters: the claims of an
// old journal about a new file are found to be wrong, but with a new journal beside an old file two
// downloads might write to that file.
func (f *File) begin() (err error) {
	header := f.options.Header
	if f.Temp, err = createFile(f.options.Target, header.Size); err != nil {
		return err
	}
	header.Perm = f.Temp.Perm()
	if err := f.journal.Begin(header); err != nil {
		f.Temp.Discard()
		return err
	}
	f.Algorithm = header.Algorithm
	return nil
}

// Resumable reports whether an ETag identifies the bytes of an object: it is not empty, and it is
// strong (RFC 9110, section 8.8.1).
func Resumable(etag string) bool { return etag != "" && !strings.HasPrefix(etag, "W/") }

// End stops the recording of ranges and ends the download with its outcome. If the file was
// published, End removes the journal. If the bytes are not, or no longer, the object's, or if there
// are none, it removes both files. Otherwise it records what was added and leaves both files for
// the next Open.
func (f *File) End(outcome error) {
	f.Quiesce()
	wrong := errors.Is(outcome, failure.ErrChecksumMismatch) ||
		errors.Is(outcome, failure.ErrObjectChanged)
	switch {
	case f.Temp.Published():
		f.remove()
		return
	case !wrong && Resumable(f.options.Header.ETag):
		if err := f.commit(); err != nil {
			f.options.Logger.Warn("cannot keep the last ranges of a partial file", "error", err)
		}
		if f.count > 0 {
			f.unlessUnable(f.journal.Sync)
			f.Temp.Keep()
			f.journal.Close()
			return
		}
	}
	f.Temp.Discard()
	f.remove()
}

func (f *File) remove() {
	if err := f.journal.Remove(); err != nil {
		f.options.Logger.Warn("cannot remove the journal of a partial file", "error", err)
	}
}
