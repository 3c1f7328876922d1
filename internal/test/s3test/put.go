package s3test

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"io"
	"time"
)

// Put stores data with its ETag, and with a CRC64NVME of the full object unless an option changes
// that. It creates the bucket if necessary. It replaces an existing object, or adds a new version
// if versioning is on. The caller must not modify data afterwards.
func (s *Server) Put(bucket, key string, data []byte, optFns ...func(*Object)) *Object {
	o := &Object{Size: int64(len(data)), content: bytes.NewReader(data), alg: "crc64nvme", algType: fullObject}
	return s.put(bucket, key, o, true, optFns)
}

// PutContent is like Put for content of any size, which the server reads for each request.
// PutContent itself reads it only if an option needs a checksum. The ETag is not an MD5.
func (s *Server) PutContent(bucket, key string, size int64, content io.ReaderAt, optFns ...func(*Object)) *Object {
	o := &Object{Size: size, content: content}
	return s.put(bucket, key, o, false, optFns)
}

func (s *Server) put(bucket, key string, o *Object, md5sum bool, optFns []func(*Object)) *Object {
	o.Bucket, o.Key = bucket, key
	o.LastModified = time.Now().UTC().Truncate(time.Second)
	o.ContentType = "binary/octet-stream"
	for _, fn := range optFns {
		fn(o)
	}
	o.checkParts()
	o.computeChecksum()
	if o.ETag == "" && md5sum && o.ssecKey == nil {
		o.ETag = o.md5ETag()
	}
	if o.noETag {
		o.ETag = ""
	}

	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if o.ETag == "" && !o.noETag {
		sum := md5.Sum(fmt.Appendf(nil, "%s/%s#%d", bucket, key, s.store.mu.serial))
		o.ETag = o.etag(sum[:])
	}
	s.store.add(o)
	return o
}

func (o *Object) checkParts() {
	if o.Parts == nil {
		return
	}
	var sum int64
	for _, n := range o.Parts {
		sum += n
	}
	if sum != o.Size {
		panic(fmt.Sprintf("s3test: parts of %s/%s have %d bytes, the object %d", o.Bucket, o.Key, sum, o.Size))
	}
}
