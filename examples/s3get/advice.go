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

// advise says what went wrong, and what to do about it.
func advise(err error) (what, todo string) {
	var api smithy.APIError
	var path *fs.PathError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, processpool.ErrCanceled):
		return "canceled", "run the same command again"
	case err == errNothing:
		return last(err), "look at the prefix; s3get adds the slash at its end, for it takes directories"
	case errors.Is(err, processpool.ErrUnsafeKey):
		return last(err), "download it by itself, to a file that you name: s3get s3://bucket/key file"
	case errors.Is(err, processpool.ErrObjectChanged):
		return "the object was overwritten while it was downloaded", "run the same command again for its new version"
	case errors.Is(err, processpool.ErrChecksumMismatch):
		return last(err), "run the same command again; if it stays so, the object is damaged, or its ETag is no MD5 (--verify off tells nothing of the bytes)"
	case errors.Is(err, processpool.ErrUnverifiable):
		return last(err), "--verify auto downloads it without proof"
	case errors.As(err, &api):
		return ofAPI(api.ErrorCode(), err)
	case errors.Is(err, processpool.ErrWorkerLost):
		return last(err), "see the reason in it; with little memory fewer workers may do: --workers 2"
	case errors.Is(err, processpool.ErrStalled):
		return last(err), "look at the network between here and the server, or try with fewer --workers"
	case errors.Is(err, processpool.ErrRetriesExceeded):
		return last(err), "look at --endpoint, at proxies and at the network, then run the same command again"
	case isErrno(err) && errors.As(err, &path):
		return ofFile(err)
	case strings.Contains(err.Error(), "credentials: "):
		return last(err), "give --profile, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use --no-sign-request for a public bucket"
	}
	return last(err), ""
}

// ofAPI knows S3's own errors. HeadObject has no body that could say more than its
// status.
func ofAPI(code string, err error) (what, todo string) {
	switch code {
	case "NotFound", "NoSuchKey":
		what, todo = "there is no such object", "look at the key; s3get --recursive takes all that begins with a prefix"
	case "NoSuchBucket":
		what, todo = "there is no such bucket", "look at its name and at --endpoint"
	case "Forbidden", "AccessDenied":
		what, todo = "access is denied", "ask for the permission "+permission(err)+", or try another --profile (public buckets: --no-sign-request)"
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken":
		what, todo = "the credentials are not good here", "look at the access key and its secret, or give another --profile"
	case "ExpiredToken", "TokenRefreshRequired", "ExpiredTokenException":
		what, todo = "the credentials have expired", "log in again (aws sso login), then run the same command again"
	case "InvalidObjectState":
		what, todo = "the object is archived", "restore it first (aws s3api restore-object)"
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "MovedPermanently":
		what, todo = "the bucket is in another region", "name it with --region"
	case "RequestTimeTooSkewed":
		what, todo = "this machine's clock is wrong", "set it, then run the same command again"
	case "SlowDown", "ServiceUnavailable", "TooManyRequests":
		what, todo = "the server has too much to do", "run the same command again later, or with fewer --workers"
	default:
		return last(err), ""
	}
	return what + " (" + details(code, err) + ")", todo
}

// permission is what the step that failed takes.
func permission(err error) string {
	var transfer *processpool.TransferError
	if errors.As(err, &transfer) && transfer.Op == "list" {
		return "s3:ListBucket"
	}
	return "s3:GetObject"
}

// details are what the server's owners ask for.
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
		todo = "make room, or name another place with -d"
	case errors.Is(err, syscall.EISDIR):
		todo = "name a file, or the directory with a slash behind it"
	case errors.Is(err, syscall.ENOTDIR):
		todo = "a file is where a directory must be: name another place"
	case errors.Is(err, fs.ErrNotExist):
		todo = "make the directory first, or name it with -d"
	case errors.Is(err, fs.ErrPermission):
		todo = "name a place that you may write to"
	}
	return last(err), todo
}

// last is an error's text without the steps that the report shows anyway.
func last(err error) string {
	var transfer *processpool.TransferError
	if errors.As(err, &transfer) {
		err = transfer.Err
	}
	return err.Error()
}
