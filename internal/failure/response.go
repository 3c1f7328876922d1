package failure

import (
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// throttles are codes by which servers ask for fewer requests, besides those that the SDK knows
// (retry.DefaultThrottleErrorCodes): of MinIO, Alibaba OSS, Google Cloud Storage and others.
var throttles = map[string]bool{
	"SlowDownRead": true, "SlowDownWrite": true, "TooManyRequests": true, "RequestRateTooLarge": true,
	"QpsLimitExceeded": true, "RateLimitExceeded": true, "rateLimitExceeded": true,
	"userRateLimitExceeded": true, "DownloadTrafficRateLimitExceeded": true, "ServerBusy": true,
}

// notNow are codes by which servers say that they cannot answer at present
// (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
var notNow = map[string]bool{
	"InternalError": true, "InternalFailure": true, "InternalServerError": true, "InternalServiceError": true,
	"ServiceUnavailable": true, "ServiceUnavailableException": true, "ServiceFailure": true,
	"Unavailable": true, "TemporarilyUnavailable": true, "BackendError": true, "backendError": true,
	"RequestTimeout": true, "RequestTimeoutException": true, "OperationTimedOut": true,
	"OperationAborted": true, "ConditionalRequestConflict": true, "ClientDisconnected": true,
	"XMinioServerNotInitialized": true,
}

// lasting are the statuses from 500 on that do not pass: what the server does not implement, or
// does not allow, and a gateway that distrusts the server's certificate (526 of Cloudflare).
var lasting = map[int]bool{
	http.StatusNotImplemented: true, http.StatusHTTPVersionNotSupported: true, http.StatusVariantAlsoNegotiates: true,
	http.StatusLoopDetected: true, http.StatusNotExtended: true, http.StatusNetworkAuthenticationRequired: true,
	526: true,
}

// ofAnswer returns the class of an error that came as an answer. A gateway's answer has a status
// and no code of S3, so both count.
func ofAnswer(err error) Class {
	code, status := codeOf(err), status(err)
	switch {
	case CredentialsExpired(err):
		return Credentials
	case skewed(err):
		return Clock
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable,
		status == 509, // Bandwidth Limit Exceeded, of web hosts
		throttles[code], strings.HasPrefix(code, "Throttl"),
		retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary:
		return Throttling
	case notNow[code],
		status == http.StatusRequestTimeout, status == http.StatusTooEarly,
		status == 499, // a gateway's word for a request that was given up
		status == http.StatusConflict && bare(code),
		status >= 500 && !lasting[status]: // 52x and 59x are those of gateways
		return NotNow
	}
	return Final
}

// CredentialsExpired reports whether S3 refused the request because its credentials have expired.
func CredentialsExpired(err error) bool {
	switch codeOf(err) {
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
		return true
	}
	return false
}

// Unexplained reports whether err is a 400 response to a HeadObject. The response has no body, and
// so no error code (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html).
func Unexplained(err error) bool {
	var operation *smithy.OperationError
	return errors.As(err, &operation) && operation.OperationName == "HeadObject" && status(err) == 400
}

// bare reports whether the code is none of S3's: the answer had none, as every answer to a HEAD,
// and the SDK put the words of the status in its place.
func bare(code string) bool {
	return code == "" || code == "UnknownError" || code == "Conflict" || code == "Forbidden"
}

// codeOf returns the error code of an answer, "" for none.
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// response returns the answer in err, nil for none.
func response(err error) *http.Response {
	var e *awshttp.ResponseError
	if errors.As(err, &e) && e.ResponseError != nil && e.Response != nil {
		return e.Response.Response
	}
	return nil
}

func status(err error) int {
	if r := response(err); r != nil {
		return r.StatusCode
	}
	return 0
}
