package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool"
)

// advise describes an error and what the user can do about it.
func advise(err error) (what, todo string) {
	var api smithy.APIError
	var path *fs.PathError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, processpool.ErrCanceled):
		return "canceled", "run the same command again"
	case err == errNothing:
		return last(err), "check the prefix; s3get adds a slash at its end"
	case errors.Is(err, processpool.ErrUnsafeKey):
		return last(err), "download it separately, to a file that you name: s3get s3://bucket/key file"
	case errors.Is(err, processpool.ErrObjectChanged):
		return "the object was overwritten during the download", "run the same command again to get the new version"
	case errors.Is(err, processpool.ErrChecksumMismatch):
		return last(err), "run the same command again; if the error remains, the object is damaged, or its ETag is not an MD5 (--verify off downloads it without verification)"
	case errors.Is(err, processpool.ErrUnverifiable):
		return last(err), "--verify auto downloads it without verification"
	case errors.As(err, &api):
		return ofAPI(api.ErrorCode(), err)
	case errors.Is(err, processpool.ErrWorkerLost):
		return last(err), "check the reason; if memory is short, try fewer workers: --workers 2"
	case errors.Is(err, processpool.ErrStalled):
		return last(err), "check the network between this machine and the server, or try fewer --workers"
	case errors.Is(err, processpool.ErrRetriesExceeded):
		return last(err), "check --endpoint, the proxies and the network, then run the same command again"
	case isErrno(err) && errors.As(err, &path):
		return ofFile(err)
	case strings.Contains(err.Error(), "credentials: "):
		return last(err), "use --profile, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use --no-sign-request for a public bucket"
	}
	return last(err), ""
}

// ofAPI describes the errors of S3. The response to a HeadObject has no body, so its errors have a
// status only.
func ofAPI(code string, err error) (what, todo string) {
	switch code {
	case "NotFound", "NoSuchKey":
		what, todo = "there is no such object", "check the key; s3get --recursive downloads all objects below a prefix"
	case "NoSuchBucket":
		what, todo = "there is no such bucket", "check its name and --endpoint"
	case "Forbidden", "AccessDenied":
		what, todo = "access is denied", "ask for the permission "+permission(err)+", or try another --profile (public buckets: --no-sign-request)"
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken":
		what, todo = "the credentials are not valid here", "check the access key and its secret, or use another --profile"
	case "ExpiredToken", "TokenRefreshRequired", "ExpiredTokenException":
		what, todo = "the credentials have expired", "log in again (aws sso login), then run the same command again"
	case "InvalidObjectState":
		what, todo = "the object is archived", "restore it first (aws s3api restore-object)"
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "MovedPermanently":
		what, todo = "the bucket is in another region", "set it with --region"
	case "RequestTimeTooSkewed":
		what, todo = "this machine's clock is wrong", "set it, then run the same command again"
	case "SlowDown", "ServiceUnavailable", "TooManyRequests":
		what, todo = "the server is overloaded", "run the same command again later, or with fewer --workers"
	default:
		return last(err), ""
	}
	return what + " (" + details(code, err) + ")", todo
}

// permission returns the permission that the failed step needs.
func permission(err error) string {
	var transfer *processpool.TransferError
	if errors.As(err, &transfer) && transfer.Op == "list" {
		return "s3:ListBucket"
	}
	return "s3:GetObject"
}

// details returns the status, the code and the request id, which the support of the server needs.
func details(code string, err error) string {
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		code = fmt.Sprintf("%d %s", response.HTTPStatusCode(), code)
		if id := response.ServiceRequestID(); id != "" {
			code += ", request " + id
		}
	}
	return code
}

func isErrno(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno)
}

func ofFile(err error) (what, todo string) {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		todo = "free some space, or choose another directory with -d"
	case errors.Is(err, syscall.EISDIR):
		todo = "name a file, or add a slash to the name of the directory"
	case errors.Is(err, syscall.ENOTDIR):
		todo = "a file exists at the path of a directory: choose another directory"
	case errors.Is(err, fs.ErrNotExist):
		todo = "create the directory first, or set it with -d"
	case errors.Is(err, fs.ErrPermission):
		todo = "choose a directory that you may write to"
	}
	return last(err), todo
}

// last returns the text of an error without the bucket, the key and the step, which the report
// shows anyway.
func last(err error) string {
	var transfer *processpool.TransferError
	if errors.As(err, &transfer) {
		err = transfer.Err
	}
	return err.Error()
}
