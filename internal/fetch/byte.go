package fetch

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/answer"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// A GetObject of the first byte tells what a HeadObject has not told: the size, where the answer
// had no Content-Length or one of 0, or the reason, where it was a refusal.

// firstByte is the Range of the first byte.
const firstByte = "bytes=0-0"

// sample asks for a range of the object, "" for all of it, and returns what the header of the answer
// says of the object.
func (c *Client) sample(ctx context.Context, job *ipc.Job, etag, byteRange string) (answer.Object, error) {
	input := getInput(job, etag)
	input.Range = optional(byteRange)
	out, err := c.s3.GetObject(ctx, input, c.regions.of(job.Bucket))
	if err != nil {
		return answer.Object{}, answer.Error(err)
	}
	defer discard(out)
	return answer.Get(out, job)
}

// discard ends an answer whose body does not count. A byte is read, so that the connection can be
// used again; a larger body is not.
func discard(out *s3.GetObjectOutput) {
	if out.ContentLength != nil && *out.ContentLength <= 1 {
		out.Body.Read(make([]byte, 2))
	}
	out.Body.Close()
}

// size returns the size of the object that a HeadObject has described without one, or as empty.
// Some servers say 0 of an object whose size they have lost; the next HeadObject may know it.
func (c *Client) size(ctx context.Context, job *ipc.Job, head *ipc.Object) (int64, error) {
	etag := head.ETag
	o, err := c.sample(ctx, job, etag, firstByte)
	size, told := answer.Unsatisfied(err)
	if !told && answer.Status(err) == http.StatusRequestedRangeNotSatisfiable {
		// An empty object, it seems. S3 itself does not say so in the header of a 416.
		if head.Size == 0 {
			return 0, nil
		}
		o, err = c.sample(ctx, job, etag, "")
	}
	if told && size == 0 {
		return 0, nil // no range of an empty object can be satisfied
	}
	switch status := answer.Status(err); {
	case status == http.StatusPreconditionFailed, status == http.StatusRequestedRangeNotSatisfiable:
		return 0, fmt.Errorf("%w: GetObject contradicts HeadObject: %w", failure.ErrUnexpected, err)
	case err != nil:
		return 0, err
	case etag != "" && o.ETag != "" && !answer.SameETag(etag, o.ETag):
		return 0, fmt.Errorf("%w: HeadObject has the ETag %s, and GetObject %s", failure.ErrUnexpected, etag, o.ETag)
	case o.Partial && o.Range.First != 0, o.Partial && o.Range.Last != 0:
		return 0, fmt.Errorf("%w: asked for bytes 0-0, got bytes %d-%d", failure.ErrUnexpected, o.Range.First, o.Range.Last)
	case o.Size > 0 && head.Size == 0:
		return 0, fmt.Errorf("%w: HeadObject says 0 bytes, and GetObject %d", failure.ErrUnexpected, o.Size)
	case o.Size == ipc.SizeUnknown:
		return 0, fmt.Errorf("%w: neither HeadObject nor GetObject tells the size", failure.ErrUnexpected)
	}
	return o.Size, nil
}

// refused adds to the refusal of a HeadObject the reason that a GetObject gives. If the GetObject
// succeeds, the refusal cannot be trusted. An error that is retried anyway stays as it is: renewed
// says that credentials which may have expired have been renewed.
func (c *Client) refused(ctx context.Context, w *watch, job *ipc.Job, renewed *bool, err error) error {
	if !answer.Bare(err) || failure.Retryable(err) || c.regions.news(job.Bucket, err) != "" {
		return err
	}
	if !*renewed && c.mayBeExpired(ctx, err) {
		*renewed = true
		return err
	}
	w.alive()
	_, why := c.sample(ctx, job, "", firstByte)
	if why == nil || answer.Status(why) == http.StatusRequestedRangeNotSatisfiable {
		return fmt.Errorf("%w: GetObject succeeds, and HeadObject does not: %w", failure.ErrUnexpected, err)
	}
	if !answer.HasCode(why) && !failure.Retryable(why) {
		return err // GetObject gives no reason, either
	}
	return &failure.Explained{Head: err, Get: why}
}
