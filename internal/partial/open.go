package partial

import (
	"context"
	"errors"
	"io"
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
	// Header is the object; its Algorithm is used unless an earlier journal has another.
	Header journal.Header
	// Failed is called once, from another goroutine, when bytes that were written cannot be brought to
	// stable storage.
	Failed func(error)
	Log    func(level slog.Level, text string, args ...any)
}

// File is a partial file, locked. Add may be called until End; one goroutine owns the rest.
type File struct {
	Temp      *sink.Temp
	Algorithm checksum.Algorithm // what records' sums are made with
	Records   []journal.Record   // of earlier downloads, in the order they were written

	options Options
	journal *journal.Journal
	wake    chan struct{} // holds one
	stop    chan struct{}
	stopped chan struct{}
	synced  time.Time // when the journal was last
	broken  bool      // no more records can be written
	err     error     // of the partial file's; once stopped is closed
	once    sync.Once // closes stop
	count   int       // records in the journal, good or not

	mu struct {
		sync.Mutex
		pending []journal.Record
	}
}

// Open opens the partial file of an earlier download of the object, or begins one. Where another
// download has it, it returns failure.ErrBusy at once. It may wait some seconds for the workers of a
// process that was killed to leave the file.
func Open(ctx context.Context, o Options) (*File, error) {
	j, err := journal.Open(o.Target.JournalName())
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
			o.Log(slog.LevelWarn, "an earlier download is not gone on with", "error", err)
		}
		if err := f.begin(); err != nil {
			j.Remove() // there is no partial file it could be of
			return nil, err
		}
	case err != nil:
		j.Close()
		return nil, err
	}
	go f.run()
	return f, nil
}

// Reasons not to go on with what is there.
var (
	errAfresh = errors.New("starting afresh")
	errNew    = errors.New("there is nothing")
)

type reason struct{ err error }

func (r reason) Error() string   { return errAfresh.Error() + ": " + r.err.Error() }
func (r reason) Unwrap() []error { return []error{errAfresh, r.err} }

func (f *File) resume(ctx context.Context) error {
	header, records, err := f.journal.Read()
	switch {
	case errors.Is(err, io.EOF):
		return reason{errNew}
	case err != nil:
		return reason{err}
	case !f.options.Header.Same(header):
		return reason{errors.New("it is of another object, or of another version of it")}
	case !Resumable(header.ETag):
		return reason{errors.New("the object has no ETag that tells it from another")}
	}
	temp, err := f.options.Target.OpenPartial(ctx, header.Size)
	if errors.Is(err, sink.ErrUnfit) {
		return reason{err}
	}
	if err != nil {
		return err
	}
	f.Temp, f.Algorithm, f.Records, f.count = temp, header.Algorithm, records, len(records)
	return nil
}

// begin starts afresh. The order matters: an old journal beside a new file claims what is found to be
// wrong, but a new journal beside an old file might have it written to by two.
func (f *File) begin() (err error) {
	header := f.options.Header
	if f.Temp, err = f.options.Target.CreatePartial(header.Size); err != nil {
		return err
	}
	if err := f.journal.Begin(header); err != nil {
		f.Temp.Discard()
		return err
	}
	f.Algorithm = header.Algorithm
	return nil
}

// Resumable tells whether an ETag names the bytes: there is one, and it is strong (RFC 9110, 8.8.1).
func Resumable(etag string) bool { return etag != "" && !strings.HasPrefix(etag, "W/") }

// End stops the journal and leaves what the outcome asks for. The file is published: the journal goes.
// The bytes are not, or no longer, the object's, or there are none yet: both go. Else both stay, and what was
// added is written down first.
func (f *File) End(outcome error) {
	f.Quiesce()
	wrong := errors.Is(outcome, failure.ErrChecksumMismatch) || errors.Is(outcome, failure.ErrObjectChanged)
	switch {
	case f.Temp.Published():
		f.remove()
		return
	case !wrong && Resumable(f.options.Header.ETag):
		if err := f.commit(); err != nil {
			f.options.Log(slog.LevelWarn, "the last bytes are not kept", "error", err)
		}
		if f.count > 0 {
			f.journal.Sync()
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
		f.options.Log(slog.LevelWarn, "the journal is left", "error", err)
	}
}
