package s3test

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
)

const ssecPrefix = "X-Amz-Server-Side-Encryption-Customer-"

// customerKey compares the customer key (SSE-C) of a request with that of the object, and sets the
// response headers.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
func (x *exchange) customerKey(o *Object) *apiError {
	get := func(name string) string { return x.req.Header.Get(ssecPrefix + name) }
	given := get("Algorithm") != "" || get("Key") != "" || get("Key-Md5") != ""
	switch {
	case o.ssecKey == nil && !given:
		return nil
	case o.ssecKey == nil:
		return errInvalidRequest.with("The encryption parameters are not applicable to this object.")
	case !given:
		return errInvalidRequest.with("The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.")
	case get("Algorithm") != "AES256":
		return errInvalidArg.with("Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.")
	}
	key, err := base64.StdEncoding.DecodeString(get("Key"))
	if err != nil || len(key) == 0 {
		return errInvalidArg.with("The secret key was invalid for the specified algorithm.")
	}
	sum := md5.Sum(key)
	digest := base64.StdEncoding.EncodeToString(sum[:])
	if get("Key-Md5") != digest {
		return errInvalidArg.with("The calculated MD5 hash of the key did not match the hash that was provided.")
	}
	if !bytes.Equal(key, o.ssecKey) {
		return errAccessDenied
	}
	x.w.Header().Set(ssecPrefix+"Algorithm", "AES256")
	x.w.Header().Set(ssecPrefix+"Key-Md5", digest)
	return nil
}
