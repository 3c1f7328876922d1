package processpool

import "github.com/s3processpool/processpool/internal/proof"

// span is a range of an object that one job fetches.
type span struct {
	offset, length int64
	lost           int // workers that died over it
}

// ranges hands out an object's bytes, from the first to the last, in spans of at
// most chunk bytes. A span is made when it is taken, so that a 5 TiB object costs
// no more memory than a small one. It is not for concurrent use.
//
// Invariant: the bytes below next are either in a span taken and not given back, or
// in back, or done.
type ranges struct {
	size  int64
	chunk int64
	parts proof.Layout // no span crosses their boundaries, where they are known
	uncut bool         // a part is one span, however large
	next  int64
	back  []span // given back, to be taken again first
	done  int64  // bytes in the file for good
}

func newRanges(size, chunk int64) *ranges {
	return &ranges{size: size, chunk: chunk}
}

// newEmptyRanges hands out one span of no bytes: for an object that shall be empty,
// and must be asked whether it is.
func newEmptyRanges() *ranges {
	return &ranges{back: []span{{}}}
}

// take returns the next span, if there is one left to hand out.
func (r *ranges) take() (span, bool) {
	if n := len(r.back); n > 0 {
		s := r.back[n-1]
		r.back = r.back[:n-1]
		return s, true
	}
	if r.next >= r.size {
		return span{}, false
	}
	end := r.size
	if r.parts.Known() {
		_, end = r.parts.Part(r.parts.Of(r.next))
	}
	s := span{offset: r.next, length: end - r.next}
	if !r.uncut {
		s.length = min(s.length, r.chunk)
	}
	r.next += s.length
	return s, true
}

// giveBack returns what a lost worker had not finished.
func (r *ranges) giveBack(s span) { r.back = append(r.back, s) }

// again has the bytes of a span that was finished fetched once more.
func (r *ranges) again(s span) {
	r.done -= s.length
	r.back = append(r.back, s)
}

// finish counts n bytes as being in the file.
func (r *ranges) finish(n int64) { r.done += n }

// left tells whether take has anything to give.
func (r *ranges) left() bool { return len(r.back) > 0 || r.next < r.size }

// complete tells whether every byte is in the file.
func (r *ranges) complete() bool { return r.done == r.size && !r.left() }
