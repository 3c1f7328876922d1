package processpool

import "github.com/s3processpool/processpool/internal/transfer"

// ranges is the rule by which an object is split: one smaller than the threshold is fetched by one
// GetObject without a Range, any other in ranges of chunk bytes, the last of which may be smaller.
// It is s3transfer's rule.
//
// What verifies an object can lead to other ranges: none crosses the boundary of a part whose
// checksum is compared, and a checksum that does not combine, such as SHA256, needs the object as
// one range.
type ranges struct {
	threshold, chunk int64 // bytes
}

// cut applies the rule to an object of size bytes.
func (r ranges) cut(size int64) transfer.Cut {
	return transfer.Cut{Whole: size < r.threshold, Chunk: r.chunk}
}
