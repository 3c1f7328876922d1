// Package digest reads the digests that people give: an algorithm, a colon and a value.
package digest

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/checksum"
)

// Parse parses sha256:VALUE. The value is in hex, as sha256sum prints it, or in base64, as S3
// does.
func Parse(text string) (processpool.Checksum, error) {
	name, value, colon := strings.Cut(text, ":")
	algorithm := checksum.Algorithm(strings.ToUpper(name))
	if !colon || !slices.Contains(checksum.Algorithms, algorithm) {
		var names []string
		for _, a := range checksum.Algorithms {
			names = append(names, strings.ToLower(string(a)))
		}
		return processpool.Checksum{}, fmt.Errorf("want an algorithm, a colon and a digest in hex or base64, such as sha256:9f86d0...; algorithms: %s", strings.Join(names, ", "))
	}
	h := algorithm.New()
	if h == nil {
		return processpool.Checksum{}, fmt.Errorf("%s is not allowed in FIPS mode", name)
	}
	sum, err := hex.DecodeString(value)
	if err != nil || len(sum) != h.Size() {
		sum, err = base64.StdEncoding.DecodeString(value)
	}
	if err != nil || len(sum) != h.Size() {
		return processpool.Checksum{}, errors.New("the digest has " + fmt.Sprint(h.Size()) + " bytes, in hex or base64")
	}
	return processpool.Checksum{Algorithm: types.ChecksumAlgorithm(algorithm), Value: base64.StdEncoding.EncodeToString(sum)}, nil
}
