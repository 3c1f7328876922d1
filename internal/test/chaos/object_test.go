//go:build linux

package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// object is the metadata that S3 stores for a key.
type object struct {
	algorithm string // of its checksum; "md5": the ETag only; "": none
	size      int64
	parts     []int64 // sizes, of a multipart upload
	noETag    bool
}

// kept are the kinds of stored objects. With parts, the checksum is COMPOSITE.
var kept = []struct {
	algorithm string
	parts     bool
}{
	{"crc64nvme", false}, {"crc64nvme", false}, {"crc64nvme", false}, {"crc32c", false}, {"crc32", false},
	{"sha256", false}, {"sha1", false}, {"md5", false}, {"", false},
	{"crc32c", true}, {"crc32", true}, {"sha256", true}, {"sha1", true}, {"md5", true},
	{"sha512", false}, {"xxhash64", false}, {"xxhash3", false}, {"xxhash128", false},
	{"sha512", true}, {"xxhash64", true}, {"xxhash3", true}, {"xxhash128", true},
}

// version is the content of an object at one time.
type version struct {
	seed uint64
	size int64
	etag string
	id   string
}

// put stores a new version. Only the algorithm "md5" gives an ETag that looks like an MD5.
func (o *object) put(origin *s3test.Server, key string, seed uint64, size int64) version {
	parts := resized(o.parts, size)
	options := []func(*s3test.Object){s3test.WithParts(parts...)}
	switch {
	case o.algorithm == "md5" || o.algorithm == "":
		options = append(options, s3test.WithChecksum("", ""))
	case parts != nil:
		options = append(options, s3test.WithChecksum(o.algorithm, "COMPOSITE"))
	default:
		options = append(options, s3test.WithChecksum(o.algorithm, "FULL_OBJECT"))
	}
	if o.noETag {
		options = append(options, s3test.WithoutETag())
	}
	var stored *s3test.Object
	if o.algorithm == "md5" {
		stored = origin.Put(bucket, key, s3test.PatternBytes(seed, size), options...)
	} else {
		options = append(options, func(s *s3test.Object) { s.ETag = fmt.Sprintf(`"opaque-%d"`, seed) })
		stored = origin.PutContent(bucket, key, size, s3test.Pattern(seed), options...)
	}
	return version{seed, size, stored.ETag, stored.VersionID}
}

// resized adapts the parts of an object to another size.
func resized(parts []int64, size int64) []int64 {
	var fit []int64
	for _, n := range parts {
		if n = min(n, size); n > 0 {
			fit = append(fit, n)
		}
		size -= n
	}
	if size > 0 && fit != nil {
		fit = append(fit, size)
	}
	return fit
}

// verdict is whether a download verifies the bytes of an object.
type verdict int

const (
	never verdict = iota
	maybe
	always
)

// proof returns the verdict that follows from the documentation of the library, and maybe in
// complicated cases.
func (p *plan) proof(t *transfer) verdict {
	o := &t.object
	told := t.expected < 0 && (!t.skipHead || o.parts != nil) // there is a HeadObject
	required := p.verify == processpool.VerifyRequired
	oneGet := o.size < p.threshold || !told && required
	switch {
	case t.demand != nil:
		return always
	case t.partial(o.size):
		if p.verify == processpool.VerifyOff || o.parts == nil || o.algorithm == "md5" {
			return never
		}
		return maybe // whole parts are verified by their own checksums
	case t.part != nil && t.skipHead:
		return maybe // a short range is one request, which nothing verifies
	case p.verify == processpool.VerifyOff || o.algorithm == "" && (o.noETag || o.size == 0 && told):
		return never
	case o.algorithm == "":
		return never // the ETag is opaque
	case !told && !oneGet, t.ordered("no word of parts"), t.ordered("wrong ETag"), t.partless():
		return maybe
	case o.parts != nil && (!told || o.algorithm == "md5" && (!o.even() || len(t.versions) > 1)): // another version may have other parts
		return maybe
	case o.parts != nil, o.algorithm[:3] == "crc", oneGet, o.size <= p.chunk, required:
		return always
	}
	return maybe
}

// even reports whether the size of the first part and the number of parts are consistent with parts
// of equal size.
func (o *object) even() bool {
	return int64(len(o.parts)) == (o.size+o.parts[0]-1)/o.parts[0]
}

// repairs reports whether the library downloads a bad part again, or all parts because their sizes
// are not as assumed.
func (o *object) repairs() bool {
	if o.parts == nil || o.algorithm != "md5" {
		return o.parts != nil
	}
	for _, n := range o.parts[:len(o.parts)-1] {
		if n != o.parts[0] {
			return true
		}
	}
	return false
}

// in returns an error that describes how a file differs from the version's bytes from first to end,
// nil if it does not.
func (v version) in(name string, first, end int64) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	got, want := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); ; {
		n, err := io.ReadFull(f, got)
		s3test.Pattern(v.seed).ReadAt(want[:n], first+at)
		if !bytes.Equal(got[:n], want[:n]) {
			return fmt.Errorf("other bytes after offset %d", at)
		}
		at += int64(n)
		switch {
		case err == nil && at <= end-first:
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			if at != end-first {
				return fmt.Errorf("%d bytes, not %d", at, end-first)
			}
			return nil
		default:
			return fmt.Errorf("more than %d bytes: %v", end-first, err)
		}
	}
}
