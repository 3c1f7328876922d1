package checksum

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Pieces keeps the CRCs of the finished pieces of an object, which arrive in any order. Neighbours
// become one at once, so that memory follows the number of holes and not that of pieces: with ranges
// handed out in order, as many as are in flight.
//
// Not for concurrent use.
type Pieces struct {
	algorithm Algorithm
	runs      []run // by offset; none empty, none touching the next
}

// run is a stretch of the object without a hole.
type run struct {
	offset, end int64
	crc         uint64
}

// NewPieces returns an empty set; a must be one that Combines.
func NewPieces(a Algorithm) *Pieces {
	if !a.Combines() {
		panic(noCRC(a))
	}
	return &Pieces{algorithm: a}
}

// Add records the CRC of the length bytes at offset. A piece of no bytes is ignored. A piece that
// overlaps an earlier one means that a range was counted twice, and panics.
func (p *Pieces) Add(offset, length int64, crc uint64) {
	if offset < 0 || length < 0 || length > math.MaxInt64-offset {
		panic(fmt.Sprintf("checksum: no such piece: %d bytes at %d", length, offset))
	}
	if length == 0 {
		return
	}
	added := run{offset: offset, end: offset + length, crc: crc}
	// i is where the piece belongs: before the first run that does not start before it.
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

// Whole returns the CRC of an object of size bytes; not ok while a byte of it is missing, or when a
// piece lies beyond its end.
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
	panic(fmt.Sprintf("checksum: piece [%d,%d) overlaps [%d,%d), which is finished",
		added.offset, added.end, present.offset, present.end))
}
