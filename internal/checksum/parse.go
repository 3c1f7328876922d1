package checksum

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
)

// Parse parses the value of an x-amz-checksum-* header together with the x-amz-checksum-type of the
// same response, "" if there was none. It returns false if the value is malformed, or if the
// algorithm or the type is unknown.
//
// Without a type, a suffix "-N" means composite. Parse accepts a composite value without the
// suffix, with Parts 0, because S3 sometimes omits it. The value of a full object cannot have the
// suffix.
func Parse(a Algorithm, typ, value string) (Stored, bool) {
	digest, parts, ok := cutParts(value)
	if !ok || !isBase64(digest, a.Size()) {
		return Stored{}, false
	}
	kind := Kind(typ)
	switch {
	case typ == "" && parts > 0:
		kind = Composite
	case typ == "":
		kind = FullObject
	case kind == FullObject && parts == 0, kind == Composite:
	default:
		return Stored{}, false
	}
	return Stored{Algorithm: a, Kind: kind, Value: digest, Parts: parts}, true
}

// ParseETag parses an ETag that has the form of an MD5: 32 hex digits in quotes, followed by "-N"
// for an object uploaded in N parts. It returns false for any other ETag, including weak ones.
//
// The form alone does not make it an MD5: with SSE-C and SSE-KMS an ETag looks the same and is not
// the MD5 of the bytes (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html). The
// caller must check the encryption.
func ParseETag(etag string) (Stored, bool) {
	if len(etag) < 2 || etag[0] != '"' || etag[len(etag)-1] != '"' {
		return Stored{}, false
	}
	digest, parts, ok := cutParts(etag[1 : len(etag)-1])
	if !ok || len(digest) != hex.EncodedLen(MD5.Size()) {
		return Stored{}, false
	}
	if _, err := hex.DecodeString(digest); err != nil {
		return Stored{}, false
	}
	return Stored{Algorithm: MD5, Kind: ETag, Value: strings.ToLower(digest), Parts: parts}, true
}

// cutParts splits "value-N". Neither base64 nor hex contains a dash.
func cutParts(s string) (value string, parts int, ok bool) {
	value, suffix, found := strings.Cut(s, "-")
	if !found {
		return value, 0, true
	}
	n, err := strconv.ParseInt(suffix, 10, 32)
	// Formatting n again rejects a sign and leading zeros, which ParseInt accepts.
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != suffix {
		return "", 0, false
	}
	return value, int(n), true
}

// isBase64 reports whether s is the canonical base64 encoding of size bytes. Decoding alone would
// accept line breaks and stray bits in the last digit.
func isBase64(s string, size int) bool {
	if size == 0 || len(s) != base64.StdEncoding.EncodedLen(size) {
		return false
	}
	decoded, err := base64.StdEncoding.DecodeString(s)
	return err == nil && len(decoded) == size && base64.StdEncoding.EncodeToString(decoded) == s
}
