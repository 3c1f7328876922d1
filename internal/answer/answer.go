// Package answer turns the answers of S3, as the SDK decodes them, into plain values. A field that
// is missing in an answer is never a statement: where the field is needed, the answer cannot be
// trusted, and the error is failure.ErrUnexpected, an attempt that failed. Behind this package no
// one looks at an optional field of the SDK.
package answer

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// untrusted returns the error of an answer that cannot be trusted.
func untrusted(format string, args ...any) error {
	return fmt.Errorf("%w: %w", failure.ErrUnexpected, fmt.Errorf(format, args...))
}

// statusOf returns the HTTP status of a successful answer.
func statusOf(metadata middleware.Metadata) int {
	if response, ok := awsmiddleware.GetRawResponse(metadata).(*smithyhttp.Response); ok {
		return response.StatusCode
	}
	return 0
}

// checkVersion compares the version that an answer names with the one that was asked for. Some
// servers answer a request for a version as if none had been asked for. An answer that names none
// says nothing about it: a bucket without versioning has no ids.
func checkVersion(operation string, job *ipc.Job, got *string) error {
	if asked := job.Args.VersionID; asked != "" && got != nil && *got != asked {
		return untrusted("%s: asked for version %q, got version %q", operation, asked, *got)
	}
	return nil
}

// lengthOf returns the value of a Content-Length, or ipc.SizeUnknown if there is none.
func lengthOf(operation string, contentLength *int64) (int64, error) {
	if contentLength == nil {
		return ipc.SizeUnknown, nil
	}
	if *contentLength < 0 {
		return 0, untrusted("%s: Content-Length is %d", operation, *contentLength)
	}
	return *contentLength, nil
}

// multipart matches the ETag of an object that was uploaded in two or more parts: a digest, and their
// number, at most 10,000. Other servers' ETags may end in a number too.
var multipart = regexp.MustCompile(`^"?[0-9a-fA-F]+-([2-9]|[1-9][0-9]{1,3}|10000)$`)

// checkEmpty holds the ETag of an empty object against its size. S3 has no multipart upload of two
// or more parts without a byte: all parts but the last have 5 MiB or more
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).
func checkEmpty(operation string, o *ipc.Object) error {
	if o.Size == 0 && multipart.MatchString(strings.TrimSuffix(o.ETag, `"`)) {
		return untrusted("%s: the size is 0, and the ETag %s is that of several parts", operation, o.ETag)
	}
	return nil
}

// SameETag compares entity tags weakly (RFC 9110, 8.8.3.2). It ignores the quotes, which some
// servers omit.
func SameETag(a, b string) bool {
	trim := func(tag string) string { return strings.Trim(strings.TrimPrefix(tag, "W/"), `"`) }
	return trim(a) == trim(b)
}

// text returns the value of an optional text for which "" is the same as none.
func text(s *string) string { return aws.ToString(s) }
