package proof

import (
	"slices"

	"github.com/s3processpool/processpool/internal/checksum"
)

// MaxParts is the number of parts that an object of S3 can have
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html). A server that says more is not
// believed: it would cost memory for each of them.
const MaxParts = 10_000

// Layout is the division of an object into the parts of its upload. The zero Layout is not known.
// Sizes and offsets are in bytes.
type Layout struct {
	Uniform int64   `json:",omitempty"` // size of each part; the last may be smaller
	Ends    []int64 `json:",omitempty"` // end of each part, if the parts are not uniform
	Size    int64   `json:",omitempty"` // size of the object
}

// UniformLayout returns the layout of an object of size bytes in count parts of part bytes each,
// the last of which may be smaller. It returns false if these numbers do not fit together.
func UniformLayout(size, part int64, count int) (Layout, bool) {
	if size <= 0 || part <= 0 || count <= 0 || count > MaxParts || int64(count) != (size-1)/part+1 {
		return Layout{}, false
	}
	return Layout{Uniform: part, Size: size}, true
}

// ExactLayout returns the layout of parts of the given sizes. It returns false unless they add up
// to size.
func ExactLayout(size int64, parts []int64) (Layout, bool) {
	if len(parts) > MaxParts {
		return Layout{}, false
	}
	l := Layout{Size: size, Ends: make([]int64, 0, len(parts))}
	var end int64
	for _, n := range parts {
		if n <= 0 || n > size-end {
			return Layout{}, false
		}
		end += n
		l.Ends = append(l.Ends, end)
	}
	if end != size || end == 0 {
		return Layout{}, false
	}
	if uniform, ok := UniformLayout(size, parts[0], len(parts)); ok && uniform.holds(l.Ends) {
		return uniform, true
	}
	return l, true
}

func (l Layout) holds(ends []int64) bool {
	for i, end := range ends {
		if _, last := l.Part(i); last != end {
			return false
		}
	}
	return true
}

// Fits reports whether the layout is not known, or is one of an object of size bytes. A Layout that
// came from another process is checked by it before anything uses it.
func (l Layout) Fits(size int64) bool {
	switch {
	case !l.Known():
		return l.Uniform == 0
	case l.Size != size || size <= 0 || l.Uniform > 0 && len(l.Ends) > 0:
		return false
	case l.Uniform > 0:
		return (size-1)/l.Uniform < MaxParts
	}
	end := int64(0)
	for _, next := range l.Ends {
		if next <= end {
			return false
		}
		end = next
	}
	return end == size && len(l.Ends) <= MaxParts
}

// Known reports whether the boundaries are known.
func (l Layout) Known() bool { return l.Uniform > 0 || len(l.Ends) > 0 }

// Equal reports whether two layouts have the same boundaries.
func (l Layout) Equal(other Layout) bool {
	return l.Uniform == other.Uniform && l.Size == other.Size && slices.Equal(l.Ends, other.Ends)
}

// Count returns the number of parts.
func (l Layout) Count() int {
	if l.Uniform > 0 {
		return int((l.Size-1)/l.Uniform) + 1
	}
	return len(l.Ends)
}

// Part returns the offsets of the start and the end of part i, counted from 0. The byte at end is
// not in the part.
func (l Layout) Part(i int) (start, end int64) {
	if l.Uniform > 0 {
		start = int64(i) * l.Uniform
		return start, start + min(l.Uniform, l.Size-start)
	}
	if i > 0 {
		start = l.Ends[i-1]
	}
	return start, l.Ends[i]
}

// Of returns the index of the part that contains the byte at offset.
func (l Layout) Of(offset int64) int {
	if l.Uniform > 0 {
		return int(offset / l.Uniform)
	}
	i, found := slices.BinarySearch(l.Ends, offset)
	if found {
		i++
	}
	return i
}

// Parts returns the indexes of the first and of the last part of the bytes from start to end. It
// returns false unless they are whole parts.
func (l Layout) Parts(start, end int64) (from, to int, whole bool) {
	if !l.Known() || start < 0 || start >= end || end > l.Size {
		return 0, 0, false
	}
	from, to = l.Of(start), l.Of(end-1)
	first, _ := l.Part(from)
	_, last := l.Part(to)
	return from, to, first == start && last == end
}

// OfPartSums reports whether S3 may keep a checksum of each part of the object: it does where it
// keeps a composite one. Of an ETag's parts it keeps none.
func OfPartSums(stored []checksum.Stored) bool {
	return slices.ContainsFunc(stored, func(s checksum.Stored) bool { return s.Kind == checksum.Composite })
}

// NeedsLayout reports whether the layout must be known to verify an object with stored.
func NeedsLayout(stored []checksum.Stored) bool {
	parts := false
	for _, s := range stored {
		if s.Kind == checksum.FullObject || s.Kind == checksum.ETag && s.Parts == 0 {
			return false
		}
		parts = parts || inParts(s)
	}
	return parts
}

func inParts(s checksum.Stored) bool {
	return s.Kind == checksum.Composite || s.Kind == checksum.ETag && s.Parts > 0
}
