package checksum

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
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

// Expect returns what a caller expects of an object, which is to have these digests, base64 by
// algorithm. The errors are for people, one for each digest that cannot be compared.
func Expect(digests []Digest) (expected []Stored, faults []error) {
	values := map[Algorithm]string{}
	for _, d := range digests {
		before, twice := values[d.Algorithm]
		switch {
		case !d.Algorithm.Known():
			faults = append(faults, fmt.Errorf("%q is no checksum algorithm of S3", string(d.Algorithm)))
		case d.Algorithm.Barred():
			faults = append(faults, fmt.Errorf("%s is refused in FIPS 140-only mode (GODEBUG=fips140=only)", d.Algorithm))
		case !isBase64(d.Value, d.Algorithm.Size()):
			faults = append(faults, fmt.Errorf("%q is not the base64 of the %d bytes of a %s", d.Value, d.Algorithm.Size(), d.Algorithm))
		case twice && before != d.Value:
			faults = append(faults, fmt.Errorf("there are two values of %s, %s and %s", d.Algorithm, before, d.Value))
		case !twice:
			values[d.Algorithm] = d.Value
			expected = append(expected, Stored{Algorithm: d.Algorithm, Kind: Expected, Value: d.Value})
		}
	}
	return expected, faults
}

// Digest is a digest of an object, with the value in base64.
type Digest struct {
	Algorithm Algorithm
	Value     string
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
