package fetch

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/answer"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
)

// layout returns the boundaries of an object's parts: from the size of the first part, if that
// fits, else from the list of parts. If both fail the layout is not known. That is not an error,
// because servers differ and GetObjectAttributes needs a permission of its own.
func (c *Client) layout(ctx context.Context, job *ipc.Job, object *ipc.Object, on Retrying) (proof.Layout, error) {
	first, count, err := c.headPart(ctx, job, object, 1, on)
	if ctx.Err() != nil {
		return proof.Layout{}, context.Cause(ctx)
	}
	if err == nil {
		if l, ok := proof.UniformLayout(object.Size, first.Size, count); ok {
			return l, nil
		}
	}
	l, _, err := c.listParts(ctx, job, object, on)
	if ctx.Err() != nil {
		return proof.Layout{}, context.Cause(ctx)
	}
	if err != nil {
		return proof.Layout{}, nil
	}
	return l, nil
}

// rangeParts returns the layout and the checksums of an object's parts, if the bytes from first to
// end are whole parts. As with layout, parts that cannot be had are no error.
func (c *Client) rangeParts(ctx context.Context, job *ipc.Job, object *ipc.Object, first, end int64, on Retrying) (
	proof.Layout, []proof.PartSum, error,
) {
	l, sums, err := c.listParts(ctx, job, object, on)
	if ctx.Err() != nil {
		return proof.Layout{}, nil, context.Cause(ctx)
	}
	if _, _, whole := l.Parts(first, end); err != nil || !whole {
		return proof.Layout{}, nil, nil
	}
	return l, sums, nil
}

// Parts asks for the exact boundaries of the object's parts, and for the checksum of each part that
// S3 keeps one of. The parent needs them for an object that arrived and did not verify.
func (c *Client) Parts(ctx context.Context, job *ipc.Job, on Retrying) (*ipc.PartsResult, error) {
	l, sums, err := c.parts(ctx, job, on)
	if err != nil {
		return nil, err
	}
	return &ipc.PartsResult{Layout: l, Parts: sums}, nil
}

func (c *Client) parts(ctx context.Context, job *ipc.Job, on Retrying) (proof.Layout, []proof.PartSum, error) {
	object := &ipc.Object{Size: job.Parts.Size, ETag: job.Parts.ETag}
	l, sums, err := c.listParts(ctx, job, object, on)
	if err == nil && l.Known() || ctx.Err() != nil {
		return l, sums, err
	}
	part, count, err := c.headPart(ctx, job, object, 1, on)
	if err != nil {
		return proof.Layout{}, nil, err
	}
	rest := object.Size // of the size, for the parts that are not known yet
	sizes := []int64{part.Size}
	sums = []proof.PartSum{part.Sum}
	for n := 2; n <= count; n++ {
		// Each part costs a request: none is made for parts that cannot be. All have a byte or more.
		if rest -= part.Size; part.Size <= 0 || rest < int64(count-n+1) {
			return proof.Layout{}, nil, fmt.Errorf("HeadObject with a part number: %d parts do not add up to %d bytes",
				count, object.Size)
		}
		if part, _, err = c.headPart(ctx, job, object, n, on); err != nil {
			return proof.Layout{}, nil, err
		}
		sizes, sums = append(sizes, part.Size), append(sums, part.Sum)
	}
	l, _ = proof.ExactLayout(object.Size, sizes)
	return l, sums, nil
}

// headPart asks for one part by its number, from 1, and for the number of parts.
func (c *Client) headPart(ctx context.Context, job *ipc.Job, object *ipc.Object, number int, on Retrying) (
	p answer.Part, count int, err error,
) {
	input := headInput(job)
	input.PartNumber = aws.Int32(int32(number))
	input.IfMatch = ifMatch(object.ETag)
	err = c.optionally(ctx, job.Bucket, on, func(ctx context.Context, _ *watch) (bool, error) {
		out, err := c.s3.HeadObject(ctx, input, c.regions.of(job.Bucket))
		if err != nil {
			return false, answer.Error(err)
		}
		p, count, err = answer.PartOfHead(out, job, number, object.ETag)
		return false, err
	})
	return p, count, err
}

// maxPages is how many pages the parts of an object can have, with 1000 parts in each but the last
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html).
const maxPages = proof.MaxParts / 1000

// listParts asks for the list of parts. S3 keeps one if the parts were uploaded with checksums.
func (c *Client) listParts(ctx context.Context, job *ipc.Job, object *ipc.Object, on Retrying) (
	proof.Layout, []proof.PartSum, error,
) {
	input := &s3.GetObjectAttributesInput{
		Bucket:               aws.String(job.Bucket),
		Key:                  aws.String(job.Key),
		ObjectAttributes:     []types.ObjectAttributes{types.ObjectAttributesEtag, types.ObjectAttributesObjectParts},
		VersionId:            optional(job.Args.VersionID),
		SSECustomerAlgorithm: optional(job.Args.SSECustomerAlgorithm),
		SSECustomerKey:       optional(job.Args.SSECustomerKey),
		SSECustomerKeyMD5:    optional(job.Args.SSECustomerKeyMD5),
		RequestPayer:         types.RequestPayer(job.Args.RequestPayer),
		ExpectedBucketOwner:  optional(job.Args.ExpectedBucketOwner),
	}
	var sizes []int64
	var sums []proof.PartSum
	pages := 0
	for more := true; more; pages++ {
		if pages == maxPages || len(sizes) > proof.MaxParts {
			return proof.Layout{}, nil, fmt.Errorf("GetObjectAttributes: there are more than %d parts, or than %d pages of them",
				proof.MaxParts, maxPages)
		}
		err := c.optionally(ctx, job.Bucket, on, func(ctx context.Context, _ *watch) (bool, error) {
			out, err := c.s3.GetObjectAttributes(ctx, input, c.regions.of(job.Bucket))
			if err != nil {
				return false, answer.Error(err)
			}
			page, err := answer.Attributes(out, job, object.ETag, aws.ToString(input.PartNumberMarker))
			if err != nil {
				return false, err
			}
			for _, p := range page.Parts {
				sizes, sums = append(sizes, p.Size), append(sums, p.Sum)
			}
			more = page.Next != ""
			input.PartNumberMarker = optional(page.Next)
			return false, nil
		})
		if err != nil {
			return proof.Layout{}, nil, err
		}
	}
	l, ok := proof.ExactLayout(object.Size, sizes)
	if !ok {
		return proof.Layout{}, nil, fmt.Errorf("GetObjectAttributes: %d parts do not add up to %d bytes",
			len(sizes), object.Size)
	}
	return l, sums, nil
}
