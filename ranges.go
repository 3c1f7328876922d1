package processpool

import (
	"cmp"
	"fmt"
	"time"

	"github.com/s3processpool/processpool/internal/partial"
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

// CleanPartials removes from a directory, and not from those below it, what downloads have left
// that were last written to before olderThan ago and did not clean up themselves: partial files of
// DownloadOptions.Resume with their journals, journals without their file, and temporary files of
// processes that were killed. It returns the paths of the files that it removed.
//
// It removes only files of the effective user, and of those only what it knows to be the library's,
// by a mark, an extended attribute ("user.processpool") that is there until the file is complete.
// Where the file system keeps no such marks, an intact journal is enough to remove it and its
// partial file, and temporary files stay. A file that a download of any process is writing to stays
// too, however old it is. The error joins those of all files that could not be removed.
func CleanPartials(dir string, olderThan time.Duration) (removed []string, err error) {
	removed, err = partial.Clean(dir, time.Now().Add(-olderThan), false)
	if err != nil {
		err = fmt.Errorf("processpool: clean %s: %w", dir, err)
	}
	return removed, err
}

// ListPartials returns the paths of the files that CleanPartials would remove, and removes nothing. It
// takes the same locks for a moment: a download with Resume that begins meanwhile may get ErrBusy.
func ListPartials(dir string, olderThan time.Duration) (found []string, err error) {
	found, err = partial.Clean(dir, time.Now().Add(-olderThan), true)
	if err != nil {
		err = fmt.Errorf("processpool: list partial files in %s: %w", dir, err)
	}
	return found, err
}
