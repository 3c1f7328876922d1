//go:build realservers && linux

package realservers

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

const (
	mib   = 1 << 20
	chunk = 8 * mib // default of MultipartChunksize and MultipartThreshold
)

// content is the content of an object.
type content []byte

func newContent(seed uint64, size int64) content { return s3test.PatternBytes(seed, size) }

func (c content) size() int64 { return int64(len(c)) }

func (c content) sha256() string { return fmt.Sprintf("%x", sha256.Sum256(c)) }

// crc64nvme returns the value of the x-amz-checksum-crc64nvme header.
func (c content) crc64nvme() string {
	a := checksum.CRC64NVME
	return base64.StdEncoding.EncodeToString(a.Bytes(a.Update(0, c)))
}

func sha256OfFile(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}
