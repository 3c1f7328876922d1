package harness

import (
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/checksum"
)

// Digests sets DownloadOptions.Expect to the digests of content.
func Digests(content []byte, algorithms ...types.ChecksumAlgorithm) func(*processpool.DownloadOptions) {
	var list []processpool.Checksum
	for _, a := range algorithms {
		h := checksum.Algorithm(a).New()
		h.Write(content)
		list = append(list, processpool.Checksum{Algorithm: a, Value: base64.StdEncoding.EncodeToString(h.Sum(nil))})
	}
	return func(o *processpool.DownloadOptions) { o.Expect = list }
}
