package checksum

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
)

// Parse reads an x-amz-checksum-* value together with the x-amz-checksum-type that came with it, ""
// for none. What is malformed, or of an unknown algorithm or type, is not ok.
//
// Without a type, "-N" behind the value means composite. A composite value without it is kept, with
// Parts 0: S3 leaves it out in places. A full object's value cannot have it.
func Parse(a Algorithm, typ, value string) (Stored, bool) {
	digest, parts, ok := cutParts(value)
	if !ok || !isBase64(digest, a.size()) {
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

// ParseETag reads an ETag that has the form of an MD5: 32 hex digits in quotes, and "-N" behind them
// for an object uploaded in N parts. Every other ETag, weak ones among them, is not ok.
//
// The form proves nothing: with SSE-C and SSE-KMS an ETag looks the same and is not the MD5 of the
// bytes (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html). The caller has to know.
func ParseETag(etag string) (Stored, bool) {
	if len(etag) < 2 || etag[0] != '"' || etag[len(etag)-1] != '"' {
		return Stored{}, false
	}
	digest, parts, ok := cutParts(etag[1 : len(etag)-1])
	if !ok || len(digest) != hex.EncodedLen(MD5.size()) {
		return Stored{}, false
	}
	if _, err := hex.DecodeString(digest); err != nil {
		return Stored{}, false
	}
	return Stored{Algorithm: MD5, Kind: ETag, Value: strings.ToLower(digest), Parts: parts}, true
}

// cutParts splits value-N. Neither base64 nor hex has a dash of its own.
func cutParts(s string) (value string, parts int, ok bool) {
	value, suffix, found := strings.Cut(s, "-")
	if !found {
		return value, 0, true
	}
	n, err := strconv.ParseInt(suffix, 10, 32)
	// Formatting it again refuses the spellings only Go takes: a sign, leading zeros.
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != suffix {
		return "", 0, false
	}
	return value, int(n), true
}

// isBase64 reports whether s is the one base64 text of size bytes. Decoding alone would let line
// breaks and stray bits in the last digit pass.
func isBase64(s string, size int) bool {
	if size == 0 || len(s) != base64.StdEncoding.EncodedLen(size) {
		return false
	}
	decoded, err := base64.StdEncoding.DecodeString(s)
	return err == nil && len(decoded) == size && base64.StdEncoding.EncodeToString(decoded) == s
}
