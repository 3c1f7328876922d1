package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/answer"
	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/lowat"
	"github.com/s3processpool/processpool/internal/proof"
)

// Observer follows a Get. Its functions are called by the goroutine that called Get; each may be
// nil.
type Observer struct {
	Retrying Retrying
	// Found is called once, with the first answer about an object that is Unconfirmed, and with the
	// checksum that verifies the object if Get.Choose asked; nil = no checksum can.
	Found func(object ipc.Object, chosen *checksum.Stored)
	// Progress is called after each write, and with 0 when the range begins again. written is how
	// much of the range's length is in the file, and sums are those of these bytes. It must not keep
	// sums.
	Progress func(written, length int64, sums *checksum.Sums)
}

// Get writes the range of job.Get to dst, at its offset in the object less Base. Bytes that were written
// before an attempt broke off stay, and the next attempt asks for the bytes behind them. Get also
// returns S3's id of the last request, "" if S3 gave none. The id of a request that failed is in
// the error.
func (c *Client) Get(ctx context.Context, job *ipc.Job, dst io.WriterAt, on Observer) (
	result *ipc.GetResult, request string, err error,
) {
	buf := c.takeBuffer()
	defer c.returnBuffer(buf)
	want := job.Get
	g := &get{
		client: c, job: job, want: want, dst: dst, on: on, buf: buf,
		size: want.Size, length: want.Length, sums: checksum.NewSums(want.Checksum, want.Record, want.Also...),
	}
	err = c.attempts(ctx, job.Bucket, on.Retrying, g.attempt)
	if errors.Is(err, errUnsuited) {
		return &ipc.GetResult{Unsuited: true}, g.request, nil
	}
	if err != nil {
		return nil, "", err
	}
	return &ipc.GetResult{
		Object: g.object, Chosen: g.chosen, Written: g.written,
		Sum: g.sums.Proof, Digest: g.sums.Bytes(), Record: g.sums.Record, Also: g.sums.Also(true),
	}, g.request, nil
}

// get is a Get that is under way. It never changes the job.
type get struct {
	client *Client
	job    *ipc.Job
	want   *ipc.Get // the job's
	dst    io.WriterAt
	on     Observer
	buf    []byte

	// size and length are those of the object and of the range: the job's, or the first answer's if
	// the job's are ipc.SizeUnknown.
	size, length int64

	confirmed bool   // an answer has passed check
	request   string // S3's id of the last that succeeded
	object    ipc.Object
	chosen    *checksum.Stored
	written   int64
	most      int64          // that written has been
	sums      *checksum.Sums // of the bytes written
	piece     int            // how many bytes of a body to collect before a write
	body      lowat.Body     // of the attempt's connection
}

// attempt makes one request for the bytes that are missing, and writes them.
func (g *get) attempt(ctx context.Context, w *watch) (headway bool, err error) {
	if !g.whole() && g.written == g.length {
		return true, nil // the last attempt broke off behind the last byte
	}
	g.body = lowat.Body{}
	w.requests.asksFor(&g.length)
	out, err := g.client.s3.GetObject(ctx, g.input(), g.client.regions.of(g.job.Bucket))
	if err != nil {
		return false, g.explain(answer.Error(err))
	}
	defer out.Body.Close()
	w.alive()
	got, err := answer.Get(out, g.job)
	if err != nil {
		return false, err
	}
	g.request = got.Request
	g.piece = pieceSize(w.conn)
	if got.Length != ipc.SizeUnknown {
		// Only then is it known how many bytes are still to come.
		g.body = lowat.Of(w.conn)
	}
	watched := g.body
	w.body.Store(&watched)
	if err := g.check(&got); err != nil {
		return false, err
	}
	if g.want.Unconfirmed && !g.confirmed {
		g.confirm()
	}
	g.confirmed = true
	if !got.Partial && g.written > 0 {
		g.restart() // the server has sent the whole object again
	}
	err = g.copy(ctx, got.Body, w)
	if errors.Is(err, failure.ErrUnexpected) {
		g.restart()
		return false, err
	}
	// Bytes that a broken answer has brought before are no headway, or a server that breaks off
	// whatever it sends would be asked for ever.
	headway = g.written > g.most
	g.most = max(g.most, g.written)
	return headway || err == nil, err
}

// confirm takes from the first answer what a HeadObject would have told, and chooses the checksum.
// It does not call Found if the Result follows almost at once: small objects are many, and each
// message wakes the pool.
func (g *get) confirm() {
	if g.want.Choose {
		stored, ok := proof.Choose(g.object.Stored, g.want.OneRange, proof.Layout{})
		if ok {
			g.chosen = &stored
			g.sums = checksum.NewSums(stored.Algorithm, g.want.Record, g.want.Also...)
		}
	}
	// The pool may fail the download if nothing can verify it: that must not wait for the bytes.
	unverifiable := g.want.Choose && g.chosen == nil
	alone := g.want.Whole || g.want.Size == ipc.SizeUnknown // no other range waits for it
	soon := alone && g.length <= bufferSize && !unverifiable
	if g.on.Found != nil && !soon {
		g.on.Found(g.object, g.chosen)
	}
}

// restart drops all bytes. It follows an answer that turned out to be too long, none of whose bytes
// can be trusted, or comes before the bytes of an answer with the whole object. The bytes of before
// cannot be taken out of the checksum.
func (g *get) restart() {
	g.written = 0
	g.sums.Reset()
	if g.on.Progress != nil {
		g.on.Progress(0, g.length, g.sums)
	}
}

// whole reports whether the next request has no Range. No Range can ask for an empty object.
func (g *get) whole() bool { return g.written == 0 && (g.want.Whole || g.size == 0) }

// covers reports whether the range is the whole object.
func (g *get) covers() bool { return g.want.Offset == 0 && g.length == g.size }

func (g *get) input() *s3.GetObjectInput {
	input := getInput(g.job, g.etag())
	if !g.confirmed {
		input.IfNoneMatch = optional(g.want.IfNoneMatch)
	}
	if !g.whole() {
		input.Range = aws.String(fmt.Sprintf("bytes=%d-%d", g.first(), g.last()))
	}
	return input
}

// getInput returns a request for the object, as of etag; "" = of whatever version there is.
func getInput(job *ipc.Job, etag string) *s3.GetObjectInput {
	args := &job.Args
	return &s3.GetObjectInput{
		Bucket:               aws.String(job.Bucket),
		Key:                  aws.String(job.Key),
		IfMatch:              ifMatch(etag),
		ChecksumMode:         types.ChecksumMode(args.ChecksumMode),
		VersionId:            optional(args.VersionID),
		SSECustomerAlgorithm: optional(args.SSECustomerAlgorithm),
		SSECustomerKey:       optional(args.SSECustomerKey),
		SSECustomerKeyMD5:    optional(args.SSECustomerKeyMD5),
		RequestPayer:         types.RequestPayer(args.RequestPayer),
		ExpectedBucketOwner:  optional(args.ExpectedBucketOwner),
	}
}

// first and last are the offsets in the object that the next request asks for.
func (g *get) first() int64 { return g.want.Offset + g.written }
func (g *get) last() int64  { return g.want.Offset + g.length - 1 }

// etag returns the ETag that the next answer must have, "" if none is known.
func (g *get) etag() string {
	if g.want.ETag == "" && g.confirmed {
		return g.object.ETag
	}
	return g.want.ETag
}
