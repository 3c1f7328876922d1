package answer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/s3processpool/processpool/internal/failure"
)

// Limits of the XML documents that the SDK reads into memory (docs/security.md), in bytes.
const (
	maxError  = 1 << 20
	maxProlog = 64 << 10 // what comes before the root element
)

// documents are the documents that answer an operation: the beginning of the root element's name,
// and the limit. The name of the second goes on with Response in S3, and with Output in some
// servers. A page of 1000 parts has less than 300 KiB, and one of 1000 keys less than 4 MiB. Some
// servers list all keys in one page: 100,000 keys of 200 bytes have 50 MiB.
var documents = map[string]struct {
	root  string
	limit int64
}{
	"ListObjectsV2":       {"listbucketresult", 64 << 20},
	"GetObjectAttributes": {"getobjectattributes", 2 << 20},
}

// pieceSize is how many bytes of a document must arrive to count as a sign of life. A server that
// sends byte by byte would otherwise keep a slot for years.
const pieceSize = 16 << 10

type arrivedKey struct{}

// Watched returns a context for a request. The function is called when a piece of the document that
// answers the request has arrived. It is not called for an error, which is small.
func Watched(ctx context.Context, arrived func()) context.Context {
	return context.WithValue(ctx, arrivedKey{}, arrived)
}

// Check is for s3.Options.APIOptions. It looks at the body of each answer before the SDK decodes
// it. The SDK takes an empty body for a document without any element, and does not look at the name
// of the root element.
func Check(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("processpool:Answer", check), middleware.After)
}

func check(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	out middleware.DeserializeOutput, metadata middleware.Metadata, err error,
) {
	out, metadata, err = next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || response.Response == nil {
		return out, metadata, err
	}
	operation := awsmiddleware.GetOperationName(ctx)
	document, isDocument := documents[operation]
	switch {
	case response.StatusCode < 200 || response.StatusCode >= 300:
		response.Body = newBody(response.Body, maxError, io.EOF)
	case isDocument:
		over := untrusted("%s: the body is over the limit of %d MiB", operation, document.limit>>20)
		b := newBody(response.Body, document.limit, over)
		b.arrived, _ = ctx.Value(arrivedKey{}).(func())
		response.Body = b
		if err = checkRoot(response, operation, document.root); err == nil {
			err = checkShape(response, operation)
		}
	case operation == "GetObject" && isError(response):
		// As the SDK does where the answer is a document (https://repost.aws/knowledge-center/s3-resolve-200-internalerror).
		response.StatusCode = http.StatusInternalServerError
		response.Body = newBody(response.Body, maxError, io.EOF)
	}
	if err != nil {
		response.Body.Close()
	}
	return out, metadata, err
}

// errUnknown is the error of an answer to an operation, or to a field of it, that the server does
// not know. It is not retried.
var errUnknown = errors.New("the server does not know it")

// checkRoot holds the root element of a document against the one that it must have. The SDK itself
// finds an <Error>.
func checkRoot(response *smithyhttp.Response, operation, want string) error {
	original := response.Body
	var read bytes.Buffer // what the decoder has read
	name, err := rootOf(io.TeeReader(io.LimitReader(original, maxProlog), &read))
	response.Body = &replay{Reader: io.MultiReader(&read, original), Closer: original}
	switch {
	case interrupted(err):
		return err
	case err == io.EOF && len(bytes.TrimSpace(read.Bytes())) == 0:
		return untrusted("%s: status %d with an empty body", operation, response.StatusCode)
	case err == nil && (strings.EqualFold(name, "Error") || strings.HasPrefix(strings.ToLower(name), want)):
		return nil
	case operation == "GetObjectAttributes":
		// A server that does not know the operation answers with the object itself.
		return fmt.Errorf("%s: %w", operation, errUnknown)
	case err != nil:
		return untrusted("%s: the body is not XML: %w", operation, err)
	}
	return untrusted("%s: the body is a %q", operation, name)
}

// rootOf returns the name of the root element. The error is io.EOF if there is none.
func rootOf(r io.Reader) (string, error) {
	decoder := xml.NewDecoder(r)
	for {
		token, err := decoder.Token()
		if err != nil {
			return "", err
		}
		if start, ok := token.(xml.StartElement); ok {
			return start.Name.Local, nil
		}
	}
}

// isError reports whether a successful answer to a GetObject is an error document of S3. It has
// neither of the headers that an object has: to an object that has none either, nothing but its own
// content could tell.
func isError(response *smithyhttp.Response) bool {
	h := response.Header
	if h.Get("ETag") != "" || h.Get("Last-Modified") != "" || h.Get("Content-Range") != "" {
		return false
	}
	original := response.Body
	buffered := bufio.NewReaderSize(original, 512)
	start, _ := buffered.Peek(512)
	response.Body = &replay{Reader: buffered, Closer: original}
	name, err := rootOf(bytes.NewReader(start))
	return err == nil && name == "Error"
}

// replay is a body whose first bytes have been read already.
type replay struct {
	io.Reader
	io.Closer
}

// body is the body of a document. An error of the connection is a failure.Interrupted.
type body struct {
	io.ReadCloser
	left    int64
	over    error
	arrived func() // called with each piece; nil = no one
	piece   int    // bytes since the last call of arrived
}

// newBody returns a body that ends with the error over if it has more than limit bytes.
func newBody(b io.ReadCloser, limit int64, over error) *body {
	return &body{ReadCloser: b, left: limit, over: over}
}

func (b *body) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, b.over
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if b.piece += n; b.piece >= pieceSize && b.arrived != nil {
		b.piece = 0
		b.arrived()
	}
	if err != nil && err != io.EOF {
		err = &failure.Interrupted{Err: err}
	}
	return n, err
}
