package answer

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool/internal/failure"
)

// Error returns the error of a request with what it means: a successful status whose header or body
// the SDK cannot decode is an answer that cannot be trusted, and a redirect says where it leads.
func Error(err error) error {
	status, header := responseOf(err)
	switch {
	case status >= 200 && status < 300:
		if errors.Is(err, failure.ErrUnexpected) || errors.Is(err, errUnknown) || interrupted(err) {
			return err
		}
		return fmt.Errorf("%w: %w", failure.ErrUnexpected, err)
	case status >= 300 && status < 400 && header.Get("Location") != "":
		return fmt.Errorf("the server redirects to %s: %w", printable(header.Get("Location")), err)
	}
	return err
}

// Unsatisfied returns the size of the object that a 416 names. ok is false if err is no 416, or if
// it names none.
func Unsatisfied(err error) (size int64, ok bool) {
	status, header := responseOf(err)
	if status != http.StatusRequestedRangeNotSatisfiable {
		return 0, false
	}
	return parseUnsatisfied(header.Get("Content-Range"))
}

// Bare reports whether err is a refusal of a HeadObject that gives no reason. An answer to HEAD has
// no body, and so no error code; the SDK makes one of the status
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html).
func Bare(err error) bool {
	status, _ := responseOf(err)
	switch status {
	case http.StatusNotModified, http.StatusPreconditionFailed: // they tell all
		return false
	}
	return status >= 300
}

// HasCode reports whether err is an answer that has an error code of S3. The SDK makes one up where
// an answer to another request than HEAD has none.
func HasCode(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() != "" && api.ErrorCode() != "UnknownError"
}

// Status returns the HTTP status of the answer that err is, or 0.
func Status(err error) int {
	status, _ := responseOf(err)
	return status
}

// Region returns the region of the bucket that a refusal names, or "".
func Region(err error) string {
	_, header := responseOf(err)
	return header.Get("X-Amz-Bucket-Region")
}

// SignedForAnother reports whether err is the answer to a request that was signed for another region
// (the credential scope:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html).
func SignedForAnother(err error, region string) bool {
	var response *awshttp.ResponseError
	if status, _ := responseOf(err); status == 0 || !errors.As(err, &response) || response.Response.Request == nil {
		return false
	}
	scope := response.Response.Request.Header.Get("Authorization")
	return scope != "" && !strings.Contains(scope, "/"+region+"/")
}

// responseOf returns status and header of the answer that err is. They are zero if there was none.
func responseOf(err error) (status int, header http.Header) {
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.ResponseError == nil ||
		response.Response == nil || response.Response.Response == nil {
		return 0, nil
	}
	return response.HTTPStatusCode(), response.Response.Header
}

// printable escapes what a terminal does not show, and cuts what is too long for a line.
func printable(s string) string {
	const limit = 1000
	if len(s) > limit {
		s = s[:limit]
	}
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}

func interrupted(err error) bool {
	var i *failure.Interrupted
	return errors.As(err, &i)
}
