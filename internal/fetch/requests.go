package fetch

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// Reporter follows the requests of a job. The goroutine of the job calls its methods.
type Reporter interface {
	// Begun is called before a request.
	Begun()
	// Ended is called when a request has ended. It sets the attempt's ID, and keeps it.
	Ended(*ipc.Attempt)
}

type (
	reporterKey struct{}
	askingKey   struct{}
	requestsKey struct{}
)

// Reported returns a context for a job whose requests are reported, if Settings.Attempts asks.
func Reported(ctx context.Context, r Reporter) context.Context {
	return context.WithValue(ctx, reporterKey{}, r)
}

// asking is a question that is asked until there is an answer. It counts its requests.
type asking struct {
	reporter Reporter
	made     map[ipc.Op]int
}

// counted returns a context for a question whose requests are counted, if they are reported.
func (c *Client) counted(ctx context.Context) context.Context {
	r, _ := ctx.Value(reporterKey{}).(Reporter)
	if !c.reports || r == nil {
		return ctx
	}
	return context.WithValue(ctx, askingKey{}, &asking{reporter: r, made: map[ipc.Op]int{}})
}

// requests are those of one attempt: one of HTTP, or a few where one answer leads to the next
// request. A nil *requests records nothing. Only the goroutine of the attempt uses them.
type requests struct {
	asking *asking
	length *int64 // of what a GetObject without a Range asks for; nil: not known
	conn   net.Conn
	now    *ipc.Attempt // under way; nil: none
	err    error        // of now, by itself
	failed bool         // one of those before has failed by itself
	many   bool
}

// recorded returns a context for an attempt, with its requests; nil if they are not reported.
func recorded(ctx context.Context) (context.Context, *requests) {
	asking, _ := ctx.Value(askingKey{}).(*asking)
	if asking == nil {
		return ctx, nil
	}
	r := &requests{asking: asking}
	return context.WithValue(ctx, requestsKey{}, r), r
}

// asksFor tells how long the range of a GetObject without a Range is, which its answer may change.
func (r *requests) asksFor(length *int64) {
	if r != nil {
		r.length = length
	}
}

// connected notes the connection of the request under way.
func (r *requests) connected(conn net.Conn) {
	if r != nil {
		r.conn = conn
	}
}

// begin begins a request. One that is under way has ended: the SDK may repeat requests, too.
func (r *requests) begin(op ipc.Op, byteRange string) {
	if r.now != nil {
		r.many, r.failed = true, r.failed || r.err != nil
		r.report(r.err)
	}
	r.asking.reporter.Begun()
	r.asking.made[op]++
	r.conn, r.err = nil, nil
	r.now = &ipc.Attempt{Op: op, Number: r.asking.made[op], Start: time.Now().UnixNano()}
	if op == ipc.OpGet {
		r.now.Offset, r.now.Length = parseRange(byteRange)
	}
}

// end ends the attempt with its error. That is the error of its last request unless another one
// explains it. An error that only says that the object needs another request is none.
func (r *requests) end(err error) {
	switch {
	case r == nil || r.now == nil:
		return
	case err == nil, errors.Is(err, errUnsuited):
		err = r.err
	case r.many && (r.failed || r.err != nil):
		err = r.err
	}
	r.report(err)
}

func (r *requests) report(err error) {
	a := r.now
	r.now = nil
	a.End, a.Err = time.Now().UnixNano(), failure.Pack(err)
	var dial *net.OpError
	switch {
	case r.conn != nil:
		a.RemoteAddr = r.conn.RemoteAddr().String()
	case errors.As(err, &dial) && dial.Addr != nil:
		a.RemoteAddr = dial.Addr.String()
	}
	if a.Op == ipc.OpGet && a.Length == ipc.SizeUnknown && r.length != nil {
		a.Length = *r.length
	}
	r.asking.reporter.Ended(a)
}

// parseRange returns the range of a Range header of this package; without one, the whole object.
func parseRange(header string) (offset, length int64) {
	first, last, ok := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	from, err := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	if !ok || err != nil || err2 != nil {
		return 0, ipc.SizeUnknown
	}
	return from, to - from + 1
}

// withReports is for s3.Options.APIOptions, and comes last. Its inner part is next to the connection
// and sees each request; its outer part sees the error that the SDK makes of an answer.
func withReports(stack *middleware.Stack) error {
	err := stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("processpool:Request", request), middleware.After)
	if err != nil {
		return err
	}
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("processpool:RequestError", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if r, _ := ctx.Value(requestsKey{}).(*requests); r != nil && err != nil {
			r.err = err
		}
		return out, metadata, err
	}), middleware.Before)
}

func request(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error,
) {
	r, _ := ctx.Value(requestsKey{}).(*requests)
	sent, ok := in.Request.(*smithyhttp.Request)
	if r == nil || !ok {
		return next.HandleDeserialize(ctx, in)
	}
	r.begin(ipc.Op(awsmiddleware.GetOperationName(ctx)), sent.Header.Get("Range"))
	out, metadata, err := next.HandleDeserialize(ctx, in)
	if response, ok := out.RawResponse.(*smithyhttp.Response); ok && response.Response != nil {
		r.answered(response.Response)
	}
	return out, metadata, err
}

// answered notes the header of the answer, and counts the bytes of its body as they are read.
func (r *requests) answered(response *http.Response) {
	a := r.now
	a.Status = response.StatusCode
	a.RequestID = failure.Cut(response.Header.Get("X-Amz-Request-Id"), maxID)
	a.HostID = failure.Cut(response.Header.Get("X-Amz-Id-2"), maxID)
	if response.Body != nil {
		response.Body = &countedBody{response.Body, &a.Bytes}
	}
}

// maxID bounds an id of S3's, in bytes. They have 16 and 76 characters.
const maxID = 1 << 10

type countedBody struct {
	io.ReadCloser
	n *int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	*b.n += int64(n)
	return n, err
}
