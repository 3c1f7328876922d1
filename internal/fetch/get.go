package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/lowat"
	"github.com/s3processpool/processpool/internal/proof"
)

// bufferSize is how much of a body is collected before it is written. One write
// of 1 MiB costs far less than 32 of io.Copy's size.
const bufferSize = 1 << 20

// securePiece is the same under TLS, where a body comes in records of 16 KiB: each is copied twice before
// it is written, and should then still be in the processor's cache.
const securePiece = 128 << 10

func pieceSize(conn net.Conn) int {
	if _, secure := conn.(*tls.Conn); secure {
		return securePiece
	}
	return bufferSize
}

// Observer is told of a range's course; each field may be nil.
type Observer struct {
	Retrying Retrying
	Found    func(ipc.Object)                         // the first answer, to a Job that is Unconfirmed
	Progress func(written int64, sums *checksum.Sums) // after each write
}

// Get writes the job's range to dst at its offset in the object. What was written
// before an attempt broke off stays, and the next attempt goes on behind it.
func (c *Client) Get(ctx context.Context, job *ipc.Job, dst io.WriterAt, on Observer) (*ipc.Result, error) {
	g := &get{client: c, job: job, dst: dst, on: on, sums: checksum.NewSums(job.Checksum, job.Record)}
	select {
	case g.buf = <-c.buffers:
	default:
		g.buf = make([]byte, bufferSize)
	}
	defer func() {
		select {
		case c.buffers <- g.buf:
		default:
		}
	}()
	err := c.attempts(ctx, job.Bucket, on.Retrying, g.attempt)
	if errors.Is(err, errUnsuited) {
		return &ipc.Result{ID: job.ID, Unsuited: true, Request: g.request}, nil
	}
	if err != nil {
		return nil, err
	}
	return &ipc.Result{
		ID: job.ID, Object: g.object, Written: g.written,
		Sum: g.sums.Proof, Digest: g.sums.Bytes(), Record: g.sums.Record, Request: g.request,
	}, nil
}

// get is one range on its way.
type get struct {
	client *Client
	job    *ipc.Job
	dst    io.WriterAt
	on     Observer
	buf    []byte

	confirmed bool
	request   string // S3's id of the last one
	object    ipc.Object
	written   int64
	sums      *checksum.Sums // of what is written
	piece     int            // of a body is written at once
	body      lowat.Body     // of the attempt's connection
}

func (g *get) attempt(ctx context.Context, w *watch) (headway bool, err error) {
	if !g.whole() && g.written == g.job.Length {
		return true, nil // the last attempt broke off behind the last byte
	}
	before := g.written
	g.body = lowat.Body{}
	out, err := g.client.s3.GetObject(ctx, g.input(), g.client.regions.of(g.job.Bucket))
	if err != nil {
		return false, g.explain(err)
	}
	defer out.Body.Close()
	w.alive()
	g.request, _ = awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
	g.piece = pieceSize(w.conn)
	if out.ContentLength != nil && *out.ContentLength >= 0 { // how much is to come is known
		g.body = lowat.Of(w.conn)
	}
	watched := g.body
	w.body.Store(&watched)
	if err := g.check(out); err != nil {
		return false, err
	}
	if g.job.Unconfirmed && !g.confirmed {
		g.confirm()
	}
	g.confirmed = true
	if err := g.copy(out.Body, w); errors.Is(err, failure.ErrUnexpected) {
		g.restart()
		return false, err
	} else if err != nil {
		return g.written > before, err
	}
	return true, nil
}

// confirm takes from the first answer what a HeadObject would have told. The pool is
// told, unless all that it would do is to wait for a Result that is almost here.
func (g *get) confirm() {
	chosen := !g.job.Choose
	if g.job.Choose {
		var stored checksum.Stored
		if stored, chosen = proof.Choose(g.object.Stored, g.job.Length == g.job.Size, proof.Layout{}); chosen {
			g.sums = checksum.NewSums(stored.Algorithm, g.job.Record)
		}
	}
	soon := g.job.Whole && g.job.Length <= bufferSize && chosen
	if g.on.Found != nil && !soon {
		g.on.Found(g.object)
	}
}

// restart forgets all bytes: the answer that brought the last of them cannot be
// trusted, and which ones it brought can no longer be taken out of the checksum.
func (g *get) restart() {
	g.written = 0
	g.sums.Reset()
}

// whole tells whether the next request goes without a Range.
func (g *get) whole() bool { return g.job.Whole && g.written == 0 }

func (g *get) input() *s3.GetObjectInput {
	input := &s3.GetObjectInput{
		Bucket:               aws.String(g.job.Bucket),
		Key:                  aws.String(g.job.Key),
		ChecksumMode:         types.ChecksumMode(g.job.Args.ChecksumMode),
		VersionId:            optional(g.job.Args.VersionID),
		SSECustomerAlgorithm: optional(g.job.Args.SSECustomerAlgorithm),
		SSECustomerKey:       optional(g.job.Args.SSECustomerKey),
		SSECustomerKeyMD5:    optional(g.job.Args.SSECustomerKeyMD5),
		RequestPayer:         types.RequestPayer(g.job.Args.RequestPayer),
		ExpectedBucketOwner:  optional(g.job.Args.ExpectedBucketOwner),
	}
	if !g.whole() {
		input.Range = aws.String(fmt.Sprintf("bytes=%d-%d", g.first(), g.last()))
	}
	input.IfMatch = pinned(g.pin())
	return input
}

// first and last are the offsets in the object that the next request asks for.
func (g *get) first() int64 { return g.job.Offset + g.written }
func (g *get) last() int64  { return g.job.Offset + g.job.Length - 1 }

// pin is the ETag that every further answer must bear.
func (g *get) pin() string {
	if g.job.ETag == "" && g.confirmed {
		return g.object.ETag
	}
	return g.job.ETag
}

// copy moves the body to the file, buffer by buffer. The bytes that came before a
// break are written, too.
func (g *get) copy(body io.Reader, w *watch) error {
	for left := g.job.Length - g.written; ; {
		n, readErr := g.fill(body, left, w)
		if int64(n) > left {
			return fmt.Errorf("%w: the body is longer than the %d bytes asked for", failure.ErrUnexpected, g.job.Length)
		}
		if err := g.write(g.buf[:n]); err != nil {
			return err
		}
		left -= int64(n)
		switch {
		case readErr == io.EOF && left == 0:
			return nil
		case readErr == io.EOF:
			return &failure.Interrupted{Err: io.ErrUnexpectedEOF}
		case readErr != nil:
			return &failure.Interrupted{Err: readErr}
		}
	}
}

// fill reads until a piece is there or the body ends. Behind the last byte that
// is wanted it asks for one more, to see the end, or that there is too much.
func (g *get) fill(body io.Reader, left int64, w *watch) (n int, err error) {
	room := int(min(left+1, int64(g.piece)))
	for n < room && err == nil {
		var m int
		g.body.Expect(left - int64(n))
		m, err = body.Read(g.buf[n:room])
		if m > 0 {
			w.alive()
		}
		n += m
	}
	return n, err
}

func (g *get) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	g.sums.Write(p)
	if _, err := g.dst.WriteAt(p, g.first()); err != nil {
		return &failure.Local{Err: fmt.Errorf("write to the temporary file: %w", err)}
	}
	g.written += int64(len(p))
	if g.on.Progress != nil {
		g.on.Progress(g.written, g.sums)
	}
	return nil
}
