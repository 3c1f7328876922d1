// Slimworker is a program for Config.WorkerCommand, as a caller would write one. Its client adds a
// header to each request, and its process exits at requests for certain keys.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/s3processpool/processpool"
)

func main() {
	if err := processpool.ServeWorker(s3.WithAPIOptions(
		smithyhttp.AddHeaderValue("X-Slim-Worker", fmt.Sprint(os.Getpid())),
		func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("poison", poison), middleware.Before)
		},
	)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// poison ends the process at a GetObject of the key "poison" and at a HeadObject of "poisoned
// head".
func poison(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	middleware.InitializeOutput, middleware.Metadata, error,
) {
	switch input := in.Parameters.(type) {
	case *s3.GetObjectInput:
		die(aws.ToString(input.Key) == "poison")
	case *s3.HeadObjectInput:
		die(aws.ToString(input.Key) == "poisoned head")
	}
	return next.HandleInitialize(ctx, in)
}

func die(now bool) {
	if now {
		fmt.Fprintln(os.Stderr, "died of poison")
		os.Exit(9)
	}
}
