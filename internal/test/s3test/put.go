package s3test

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"io"
	"time"
)

// Put stores data, with its ETag and a CRC64NVME of the full object unless an
// option says otherwise. A missing bucket is made; an existing object is
// replaced, or gets a new version where versioning is on. data must not
// change afterwards.
func (s *Server) Put(bucket, key string, data []byte, optFns ...func(*Object)) *Object {
	o := &Object{Size: int64(len(data)), content: bytes.NewReader(data), alg: "crc64nvme", algType: fullObject}
	return s.put(bucket, key, o, true, optFns)
}

// PutContent is Put for content of any size, read when it is asked for: at
// once only if an option wants a checksum computed. Its ETag is no MD5.
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
