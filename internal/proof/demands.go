package proof

import (
	"fmt"
	"slices"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
)

// Demands are digests of the whole object that are compared besides the one of the Ledger: those
// that the caller expects, and one of S3's that does not combine and must be compared. The CRCs of
// ranges combine; another digest is computed while the bytes arrive if they arrive as one range.
// What is Missing at the end is for a job that reads the file back.
//
// A Demands is not safe for concurrent use. The nil Demands are none.
type Demands struct {
	wants []checksum.Stored
	size  int64
	sums  []demanded // one for each algorithm
	void  bool       // a range was fetched again: what was added before does not count
}

// demanded is what is known of the digests of one algorithm.
type demanded struct {
	algorithm checksum.Algorithm
	pieces    *checksum.Pieces // nil: it does not combine
	sum       []byte           // of the object; nil: it is not known
}

// NewDemands returns the demands on an object of size bytes; size is negative while it is not
// known.
func NewDemands(wants []checksum.Stored, size int64) *Demands {
	if len(wants) == 0 {
		return nil
	}
	d := &Demands{wants: wants, size: size}
	for _, want := range wants {
		if slices.ContainsFunc(d.sums, func(s demanded) bool { return s.algorithm == want.Algorithm }) {
			continue
		}
		s := demanded{algorithm: want.Algorithm}
		if want.Algorithm.Combines() {
			s.pieces = checksum.NewPieces(want.Algorithm)
		}
		d.sums = append(d.sums, s)
	}
	return d
}

// Of returns the algorithms to sum a range with. A digest that does not combine is among them if
// the range is the whole object.
func (d *Demands) Of(offset, length int64) (algorithms []checksum.Algorithm) {
	if d == nil || d.void {
		return nil
	}
	for _, s := range d.sums {
		if s.pieces != nil || d.whole(offset, length) {
			algorithms = append(algorithms, s.algorithm)
		}
	}
	return algorithms
}

func (d *Demands) whole(offset, length int64) bool {
	return d.size < 0 || offset == 0 && length == d.size
}

// Add records the sums of a range that has been written to the file, of the algorithms in their
// order. A sum may be missing (nil) if the range ended early. A range may be added again after it
// was fetched again: then only Settle tells the sums.
func (d *Demands) Add(offset, length int64, algorithms []checksum.Algorithm, sums [][]byte) {
	if d == nil || d.void {
		return
	}
	for i := range d.sums {
		if s := &d.sums[i]; s.pieces == nil && length > 0 {
			s.sum = nil // of other bytes than those that are in the file now
		}
	}
	for i := range min(len(algorithms), len(sums)) {
		s := d.of(algorithms[i])
		crc, combines := s.algorithm.CRC(sums[i])
		switch {
		case combines && !s.pieces.Free(offset, length):
			d.void = true
			for i := range d.sums {
				d.sums[i].sum = nil
			}
			return
		case combines:
			s.pieces.Add(offset, length, crc)
			if crc, whole := s.pieces.Whole(d.size); whole {
				s.sum = s.algorithm.Bytes(crc)
			}
		case len(sums[i]) == s.algorithm.Size() && d.whole(offset, length):
			s.sum = sums[i]
		}
	}
}

// Missing returns the algorithms whose digest of the object is not known.
func (d *Demands) Missing() (algorithms []checksum.Algorithm) {
	if d == nil {
		return nil
	}
	for _, s := range d.sums {
		if s.sum == nil {
			algorithms = append(algorithms, s.algorithm)
		}
	}
	return algorithms
}

// Settle records the digests of the whole file, of the algorithms in their order.
func (d *Demands) Settle(algorithms []checksum.Algorithm, sums [][]byte) {
	for i := range min(len(algorithms), len(sums)) {
		d.of(algorithms[i]).sum = sums[i]
	}
}

// Check compares the digests that are known. The error matches failure.ErrChecksumMismatch.
func (d *Demands) Check() error {
	if d == nil {
		return nil
	}
	for _, want := range d.wants {
		if sum := d.of(want.Algorithm).sum; sum != nil && !want.MatchDigest(sum) {
			return fmt.Errorf("%w: %s is %s, and the bytes have %s", failure.ErrChecksumMismatch, want, want.Value, want.Encode(sum))
		}
	}
	return nil
}

// String describes the first of the demands, "" if there is none.
func (d *Demands) String() string {
	if d == nil {
		return ""
	}
	return d.wants[0].String()
}

func (d *Demands) of(a checksum.Algorithm) *demanded {
	return &d.sums[slices.IndexFunc(d.sums, func(s demanded) bool { return s.algorithm == a })]
}
