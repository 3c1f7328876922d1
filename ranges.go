package processpool

import (
	"cmp"

	"github.com/s3processpool/processpool/internal/transfer"
)

// Range is a range of an object's bytes.
type Range struct {
	Offset int64 // of the first byte
	Length int64 // in bytes; 0: to the object's end
}

// ranges is the rule by which an object is split: one smaller than the threshold is fetched by one
// GetObject without a Range, any other in ranges of chunk bytes, the last of which may be smaller.
// It is s3transfer's rule.
//
// What verifies an object can lead to other ranges: none crosses the boundary of a part whose
// checksum is compared, and a part whose checksum does not combine, such as SHA256, is one range.
type ranges struct {
	threshold, chunk int64 // bytes
}

// ranges returns the rule for a download.
func (d *Downloader) ranges(o *DownloadOptions) ranges {
	return ranges{
		threshold: cmp.Or(o.MultipartThreshold, d.defaults.MultipartThreshold),
		chunk:     cmp.Or(o.MultipartChunksize, d.defaults.MultipartChunksize),
	}
}

// cut applies the rule to an object of size bytes.
func (r ranges) cut(size int64) transfer.Cut {
	return transfer.Cut{Whole: size < r.threshold, Chunk: r.chunk}
}
