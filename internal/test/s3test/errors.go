package s3test

import (
	"encoding/xml"
	"net/http"
	"strconv"
)

// apiError is an S3 error response.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type apiError struct {
	status        int
	code, message string
}

var (
	errAccessDenied   = &apiError{403, "AccessDenied", "Access Denied"}
	errArchived       = &apiError{403, "InvalidObjectState", "The operation is not valid for the object's storage class"}
	errBadRange       = &apiError{416, "InvalidRange", "The requested range is not satisfiable"}
	errBadPart        = &apiError{416, "InvalidPartNumber", "The requested partnumber is not satisfiable"}
	errBadVersion     = &apiError{400, "InvalidArgument", "Invalid version id specified"}
	errExpiredToken   = &apiError{400, "ExpiredToken", "The provided token has expired."}
	errInvalidToken   = &apiError{400, "InvalidToken", "The provided token is malformed or otherwise invalid."}
	errInvalidArg     = &apiError{400, "InvalidArgument", "Invalid Argument"}
	errInvalidRequest = &apiError{400, "InvalidRequest", "Invalid Request"}
	errMarker         = &apiError{405, "MethodNotAllowed", "The specified method is not allowed against this resource."}
	errNoBucket       = &apiError{404, "NoSuchBucket", "The specified bucket does not exist"}
	errNoKey          = &apiError{404, "NoSuchKey", "The specified key does not exist."}
	errNoVersion      = &apiError{404, "NoSuchVersion", "The specified version does not exist."}
	errNotImplemented = &apiError{501, "NotImplemented", "A header you provided implies functionality that is not implemented"}
	errPrecondition   = &apiError{412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"}
	errRedirect       = &apiError{301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint."}
	errSignature      = &apiError{403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method."}
	errSkewed         = &apiError{403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."}
	errUnknownKey     = &apiError{403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."}
)

// errorOf returns S3's usual error for a status, because an injected fault may have a status only.
func errorOf(status int) *apiError {
	switch status {
	case 0, 500:
		return &apiError{500, "InternalError", "We encountered an internal error. Please try again."}
	case 400:
		return errInvalidRequest
	case 401, 403:
		return &apiError{status, errAccessDenied.code, errAccessDenied.message}
	case 404:
		return errNoKey
	case 408:
		return &apiError{408, "RequestTimeout", "Your socket connection to the server was not read from or written to within the timeout period."}
	case 412:
		return errPrecondition
	case 416:
		return errBadRange
	case 429:
		return &apiError{429, "TooManyRequests", "Please reduce your request rate."}
	case 503:
		return &apiError{503, "SlowDown", "Please reduce your request rate."}
	}
	return &apiError{status, strconv.Itoa(status), http.StatusText(status)}
}

// with returns a copy of e with the given message. "" keeps the message of e.
func (e *apiError) with(message string) *apiError {
	c := *e
	if message != "" {
		c.message = message
	}
	return &c
}

type errorXML struct {
	XMLName                          xml.Name `xml:"Error"`
	Code, Message, Resource          string
	RequestID                        string `xml:"RequestId"`
	HostID                           string `xml:"HostId"`
	Region, BucketName, Key, Version string `xml:",omitempty"`
}
