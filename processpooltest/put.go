package processpooltest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// PutOptions are the options of one [Server.Put]. An option function sees the defaults.
type PutOptions struct {
	ContentType string            // default binary/octet-stream, as S3
	Metadata    map[string]string // the user's, keys without x-amz-meta-
	Header      map[string]string // further headers of the answers, such as Content-Encoding

	// Parts makes the object a multipart upload of parts of these sizes, in bytes. They add up to
	// the content's. Default nil: one PutObject.
	Parts []int64

	// ChecksumAlgorithm is that of the checksum that the server keeps. Default CRC64NVME, as S3;
	// "": it keeps none, only the ETag.
	ChecksumAlgorithm types.ChecksumAlgorithm

	// ChecksumType says what the checksum is of. Default "", as S3: the parts, if there are
	// Parts and the algorithm is not CRC64NVME, or else the full object.
	ChecksumType types.ChecksumType
}

// Put stores an object, and returns what a download of it returns as its Object, which is not
// verified. A bucket that does not exist is created. An existing object is replaced, or gets
// another version if [Server.SetVersioning] has been called. Put copies the content. It panics if
// the options contradict the content, each other or S3.
func (s *Server) Put(bucket, key string, content []byte, optFns ...func(*PutOptions)) processpool.Object {
	o := PutOptions{ContentType: "binary/octet-stream", ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme}
	for _, fn := range optFns {
		fn(&o)
	}
	if err := o.validate(bucket, key, int64(len(content))); err != nil {
		panic(fmt.Sprintf("processpooltest: put %s/%s: %v", bucket, key, err))
	}
	header := maps.Clone(o.Header)
	if header == nil {
		header = map[string]string{}
	}
	metadata := map[string]string{}
	for name, value := range o.Metadata {
		name = strings.ToLower(name) // as S3
		header["X-Amz-Meta-"+name], metadata[name] = value, value
	}
	stored := s.origin.Put(bucket, key, bytes.Clone(content),
		s3test.WithChecksum(strings.ToLower(string(o.ChecksumAlgorithm)), string(o.ChecksumType)),
		func(to *s3test.Object) {
			to.ContentType, to.Header, to.Parts = o.ContentType, header, slices.Clone(o.Parts)
		})

	object := processpool.Object{
		Size: stored.Size, ETag: stored.ETag, VersionId: stored.VersionID, LastModified: stored.LastModified,
		ContentType: stored.ContentType,
	}
	if len(metadata) > 0 {
		object.Metadata = metadata
	}
	for name, value := range header {
		switch strings.ToLower(name) {
		case "content-encoding":
			object.ContentEncoding = value
		case "x-amz-storage-class":
			object.StorageClass = value
		}
	}
	if o.ChecksumAlgorithm != "" && !s.etagOnly {
		value := stored.Checksums[strings.ToLower(string(o.ChecksumAlgorithm))]
		object.Checksums = []processpool.Checksum{{Algorithm: o.ChecksumAlgorithm, Value: value}}
	}
	return object
}

// validate fills in the ChecksumType, and returns what is wrong.
func (o *PutOptions) validate(bucket, key string, size int64) error {
	if bucket == "" || key == "" {
		return fmt.Errorf("no bucket or no key given")
	}
	if o.Parts != nil {
		var sum int64
		for _, n := range o.Parts {
			if n < 0 {
				return fmt.Errorf("a part has %d bytes", n)
			}
			sum += n
		}
		if sum != size {
			return fmt.Errorf("the parts have %d bytes, and the content has %d", sum, size)
		}
	}
	if o.ChecksumAlgorithm != "" && !slices.Contains(o.ChecksumAlgorithm.Values(), o.ChecksumAlgorithm) {
		return fmt.Errorf("the server has no checksum %s", o.ChecksumAlgorithm)
	}
	crc := strings.HasPrefix(string(o.ChecksumAlgorithm), "CRC")
	switch o.ChecksumType {
	case "":
		o.ChecksumType = types.ChecksumTypeFullObject
		if o.Parts != nil && o.ChecksumAlgorithm != types.ChecksumAlgorithmCrc64nvme {
			o.ChecksumType = types.ChecksumTypeComposite
		}
	case types.ChecksumTypeFullObject:
		if o.Parts != nil && !crc {
			return fmt.Errorf("%s of parts is COMPOSITE", o.ChecksumAlgorithm)
		}
	case types.ChecksumTypeComposite:
		if o.Parts == nil || o.ChecksumAlgorithm == types.ChecksumAlgorithmCrc64nvme {
			return fmt.Errorf("COMPOSITE needs Parts, and another algorithm than CRC64NVME")
		}
	default:
		return fmt.Errorf("the ChecksumType %q is neither FULL_OBJECT nor COMPOSITE", o.ChecksumType)
	}
	return nil
}

// CreateBucket creates an empty bucket unless it exists.
func (s *Server) CreateBucket(bucket string) { s.origin.CreateBucket(bucket) }

// SetVersioning turns the versioning of a bucket on, or suspends it. A bucket that does not exist
// is created.
func (s *Server) SetVersioning(bucket string, on bool) { s.origin.SetVersioning(bucket, on) }

// Delete removes an object. In a bucket with versions it adds a delete marker instead.
func (s *Server) Delete(bucket, key string) { s.origin.Delete(bucket, key) }
