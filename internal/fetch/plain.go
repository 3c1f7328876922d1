package fetch

import (
	"context"
	"errors"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/s3processpool/processpool/internal/settings"
)

// errExposed refuses a request that would show a customer's key to the network. S3 refuses it as
// well, when it has crossed the network
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html).
var errExposed = errors.New("the request has a customer key (SSE-C), which is not sent over plain HTTP to another machine: give an https endpoint")

// withoutExposure is for s3.Options.APIOptions. It looks at the address that the request goes to,
// whatever settings it comes from, right before it is sent.
func withoutExposure(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("processpool:Exposure", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		r, ok := in.Request.(*smithyhttp.Request)
		if ok && r.Header.Get("X-Amz-Server-Side-Encryption-Customer-Key") != "" && settings.Exposed(r.URL) {
			return middleware.DeserializeOutput{}, middleware.Metadata{}, errExposed
		}
		return next.HandleDeserialize(ctx, in)
	}), middleware.After)
}
