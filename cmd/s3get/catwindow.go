package main

import (
	"context"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
)

// maxWindow is the largest number of bytes of a window. Two windows are in memory at a time.
const maxWindow = 64 << 20

// maxPart is the size in bytes of the largest part that is a window, to be verified by its checksum.
const maxPart = 256 << 20

// windows writes an object in order although its ranges arrive in any order: window by window, each
// of which is downloaded to a file in memory while the one before it is written.
type windows struct {
	*concatenation
	source
	head    *s3.HeadObjectOutput
	size    int64
	proof   *proof
	written int64 // bytes on standard output
}

// window is a part of the object that is under way.
type window struct {
	buffer *os.File
	length int64
	future *processpool.Future
}

// length returns the number of bytes of a window: what all workers fetch at a time, but no more
// than maxWindow. Where parts have checksums, it is whole parts.
func (w *windows) length() int64 {
	n := min(int64(w.chunk)*int64(w.workers)*int64(w.requests), maxWindow)
	n = max(n, min(int64(w.chunk), maxWindow))
	if part := w.proof.part; part > 0 {
		n = max(1, n/part) * part
	}
	return n
}

func (w *windows) write(ctx context.Context, from, length int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	end, step := from+length, w.length()
	var ahead [2]*window
	defer func() {
		cancel()
		for _, one := range ahead {
			if one != nil {
				one.future.Result() // nobody writes to the buffers any more
			}
		}
	}()
	next := func(i int) (err error) {
		if ahead[i] = nil; from < end {
			n := min(step, end-from)
			ahead[i], err = w.begin(ctx, i, from, n)
			from += n
		}
		return err
	}
	if err := next(0); err != nil {
		return err
	}
	for i := 0; ahead[i] != nil; i = 1 - i {
		if err := next(1 - i); err != nil {
			return err
		}
		one := ahead[i]
		if err := one.future.Result(); err != nil {
			return err
		}
		w.proof.window(one.future.Object())
		n, err := io.Copy(w.out(), io.NewSectionReader(one.buffer, 0, one.length))
		if w.written += n; err != nil {
			return err
		}
	}
	return nil
}

// begin begins the download of a window to one of the buffers.
func (w *windows) begin(ctx context.Context, i int, from, length int64) (*window, error) {
	f, err := w.buffers[i].open()
	if err != nil {
		return nil, err
	}
	future := w.downloader.DownloadTo(ctx, w.bucket, w.key, f, func(o *processpool.DownloadOptions) {
		o.Range = &processpool.Range{Offset: from, Length: length}
		o.IfMatch = aws.ToString(w.head.ETag)
		o.ExtraArgs.VersionId = aws.ToString(w.head.VersionId)
		o.ExtraArgs.RequestPayer = w.payer.wire()
		if w.proof.kind != proofParts {
			o.ExpectedSize = &w.size
			o.Verify = processpool.VerifyOff // the whole is verified here
		}
	})
	return &window{f, length, future}, nil
}

// buffer is a file without a name, in memory where the system has that.
type buffer struct {
	file   *os.File // nil: not open yet
	remove func()
}

func (b *buffer) open() (f *os.File, err error) {
	if b.file == nil {
		b.file, b.remove, err = newBuffer()
	}
	return b.file, err
}

func (c *concatenation) close() {
	for _, b := range c.buffers {
		if b.file != nil {
			b.file.Close()
			b.remove()
		}
	}
}
