package pool

import (
	"errors"
	"fmt"
	"strings"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/ipc"
)

// checkEntries checks a page of a listing, or a piece of one.
func (p *pending) checkEntries(entries []ipc.Entry) error {
	for i := range entries {
		switch e := &entries[i]; {
		case len(e.Key) == 0:
			return errors.New("an object without a key")
		case e.Size < 0:
			return fmt.Errorf("a size of %d bytes", e.Size)
		case !strings.HasPrefix(string(e.Key), p.job.List.Prefix):
			return errors.New("a key that does not begin with the prefix")
		}
	}
	return nil
}

// maxStored is more checksums than S3 has of one object.
const maxStored = 16

// checkObject checks what a worker says of an object.
func checkObject(o *ipc.Object) error {
	switch {
	case o.Size < 0:
		return fmt.Errorf("an object of %d bytes", o.Size)
	case len(o.ETag) > maxText || len(o.VersionID) > maxText:
		return fmt.Errorf("an ETag of %d bytes, a version of %d", len(o.ETag), len(o.VersionID))
	case !o.Layout.Fits(o.Size):
		return errors.New("parts that do not make up the object")
	case len(o.Stored) > maxStored:
		return fmt.Errorf("%d checksums", len(o.Stored))
	case o.Details.Size() > ipc.MaxDetails:
		return fmt.Errorf("details of %d bytes", o.Details.Size())
	}
	for _, s := range o.Stored {
		known := s.Kind == checksum.FullObject || s.Kind == checksum.Composite || s.Kind == checksum.ETag
		if !known || !s.Algorithm.Known() || s.Parts < 0 || len(s.Value) > maxText {
			return fmt.Errorf("an unknown checksum, %.20q of the kind %.20q", s.Algorithm, s.Kind)
		}
	}
	return nil
}

// checkDigest returns an error unless the digest is one of the algorithm. There is none without an
// algorithm, or if its checksums combine.
func checkDigest(a checksum.Algorithm, digest []byte) error {
	want := 0
	if a != "" && !a.Combines() {
		want = a.Size() // the pool's own word, or one that checkObject knows
	}
	if len(digest) != want {
		return fmt.Errorf("a digest of %d bytes where %d are right", len(digest), want)
	}
	return nil
}

// checkAlso returns an error unless there is a sum of each algorithm. If digests is false, those
// that do not combine have none.
func checkAlso(asked []checksum.Algorithm, sums [][]byte, digests bool) error {
	if len(sums) != len(asked) {
		return fmt.Errorf("%d further checksums where %d were asked for", len(sums), len(asked))
	}
	for i, a := range asked {
		want := a.Size()
		if !digests && !a.Combines() {
			want = 0
		}
		if len(sums[i]) != want {
			return fmt.Errorf("a %s of %d bytes", a, len(sums[i]))
		}
	}
	return nil
}
