package checksum

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Pieces collects the CRCs of the finished pieces of an object, which arrive in any order. Adjacent
// pieces are merged at once, so memory grows with the number of gaps and not with the number of
// pieces. With ranges handed out in order, there are as many gaps as ranges in flight.
//
// A Pieces is not safe for concurrent use.
type Pieces struct {
	algorithm Algorithm
	runs      []run // sorted by offset; none is empty or adjacent to the next
}

// run is a contiguous stretch of the object.
type run struct {
	offset, end int64
	crc         uint64
}

// NewPieces returns an empty set. It panics if a does not combine.
func NewPieces(a Algorithm) *Pieces {
	if !a.Combines() {
		panic(noCRC(a))
	}
	return &Pieces{algorithm: a}
}

// Add records crc as the CRC of the length bytes at offset. It ignores an empty piece. It panics if
// the piece overlaps an earlier one, because a range was then counted twice.
func (p *Pieces) Add(offset, length int64, crc uint64) {
	if offset < 0 || length < 0 || length > math.MaxInt64-offset {
		panic(fmt.Sprintf("checksum: invalid piece: %d bytes at %d", length, offset))
	}
	if length == 0 {
		return
	}
	added := run{offset: offset, end: offset + length, crc: crc}
	// The piece belongs at i, before the first run that starts at its offset or later.
	i, _ := slices.BinarySearchFunc(p.runs, offset, func(r run, offset int64) int {
		return cmp.Compare(r.offset, offset)
	})
	if i > 0 && p.runs[i-1].end > added.offset {
		panicOverlap(added, p.runs[i-1])
	}
	if i < len(p.runs) && p.runs[i].offset < added.end {
		panicOverlap(added, p.runs[i])
	}
	before := i > 0 && p.runs[i-1].end == added.offset
	after := i < len(p.runs) && p.runs[i].offset == added.end
	switch {
	case before && after:
		p.runs[i-1] = p.join(p.join(p.runs[i-1], added), p.runs[i])
		p.runs = slices.Delete(p.runs, i, i+1)
	case before:
		p.runs[i-1] = p.join(p.runs[i-1], added)
	case after:
		p.runs[i] = p.join(added, p.runs[i])
	default:
		p.runs = slices.Insert(p.runs, i, added)
	}
}

// Free reports whether no byte of the piece is in one that was added.
func (p *Pieces) Free(offset, length int64) bool {
	return length == 0 || !slices.ContainsFunc(p.runs, func(r run) bool { return r.offset < offset+length && offset < r.end })
}

// Whole returns the CRC of an object of size bytes. ok is false while any byte is missing, and when
// a piece extends beyond the end.
func (p *Pieces) Whole(size int64) (crc uint64, ok bool) {
	if len(p.runs) == 0 {
		return 0, size == 0
	}
	if whole := p.runs[0]; len(p.runs) == 1 && whole.offset == 0 && whole.end == size {
		return whole.crc, true
	}
	return 0, false
}

func (p *Pieces) join(a, b run) run {
	return run{a.offset, b.end, Combine(p.algorithm, a.crc, b.crc, b.end-b.offset)}
}

func panicOverlap(added, present run) {
	panic(fmt.Sprintf("checksum: piece [%d,%d) overlaps the finished piece [%d,%d)",
		added.offset, added.end, present.offset, present.end))
}
