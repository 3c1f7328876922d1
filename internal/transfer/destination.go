package transfer

import (
	"fmt"
	"os"
	"time"

	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/osfile"
	"github.com/s3processpool/processpool/internal/sink"
)

// destination is where a download's bytes go: a name, or a file that the caller has opened.
type destination struct {
	target sink.Target // of a name
	given  *sink.Given // nil: a name
	blind  bool        // the caller's file is open for writing only
}

// file is what the workers write to: a temporary file, or the caller's.
type file interface {
	File() *os.File
	// Direct returns a second descriptor that writes past the page cache, and the alignment of what it
	// writes, in bytes; nil: there is none, and err says why if it was asked for.
	Direct() (f *os.File, align int64, err error)
	Sized(size int64)
	SetModTime(time.Time) error
	Sync() error
	Seal(stop func() bool) error
	Publish() error
	SyncDir() error
	Discard()
}

// resolve checks the destination.
func (r *Request) resolve(files *osfile.System) (d destination, err error) {
	if r.File != nil {
		d.given, err = sink.Accept(files, r.File, sink.GivenOptions{
			Durable: r.Durable, Mode: r.Mode, Times: r.KeepModTime, Direct: r.DirectIO,
		})
		if err == nil && !d.given.Readable() {
			d.blind, err = true, r.needsReading()
		}
		return d, err
	}
	if d.target, err = sink.Resolve(files, r.Filename); err != nil {
		return d, err
	}
	if r.Durable {
		d.target = d.target.Durable()
	}
	if r.DirectIO {
		d.target = d.target.Direct()
	}
	d.target = d.target.WithMode(r.Mode)
	if r.NoClobber {
		d.target = d.target.NoClobber()
		_, err = d.target.Present()
	}
	return d, err
}

// needsReading returns an error if the file may have to be read back for what the caller expects.
func (r *Request) needsReading() error {
	for _, want := range r.Expect {
		if !want.Algorithm.Combines() {
			return fmt.Errorf("the file is open for writing only, and may have to be read back for the %s in Expect: open it for reading, too",
				want.Algorithm)
		}
	}
	return nil
}

// create makes the file for size bytes, or for ipc.SizeUnknown.
func (d destination) create(size int64) (f file, err error) {
	var temp *sink.Temp
	switch {
	case d.given != nil && size == ipc.SizeUnknown:
		return d.given, d.given.PrepareUnsized()
	case d.given != nil:
		return d.given, d.given.Prepare(size)
	case size == ipc.SizeUnknown:
		temp, err = d.target.CreateUnsized()
	default:
		temp, err = d.target.Create(size)
	}
	if err != nil {
		return nil, err
	}
	return temp, nil
}
