package processpool

import (
	"slices"

	"github.com/s3processpool/processpool/internal/proof"
)

// span is a range of an object that one job fetches.
type span struct {
	offset, length int64
	lost           int // workers that died over it
	reclaimed      int // times that it was taken back from a slow connection
}

// ranges hands out an object's bytes, from the first to the last, in spans of at
// most chunk bytes. A span is made when it is taken, so that a 5 TiB object costs
// no more memory than a small one. It is not for concurrent use.
//
// Invariant: a byte is either in todo, or in a span taken and not given back, or
// done.
type ranges struct {
	size  int64
	chunk int64
	parts proof.Layout // no span crosses their boundaries, where they are known
	uncut bool         // a part is one span, however large
	todo  []span       // not handed out, the next one last; however long
	done  int64        // bytes in the file for good
}

func newRanges(size, chunk int64) *ranges {
	r := &ranges{size: size, chunk: chunk}
	if size > 0 {
		r.todo = append(r.todo, span{length: size})
	}
	return r
}

// without leaves out spans that need not be fetched, given by offset, none over
// another, before anything is taken.
func (r *ranges) without(kept []span) {
	r.todo = r.todo[:0]
	end := r.size
	for _, s := range slices.Backward(kept) {
		if gap := end - (s.offset + s.length); gap > 0 {
			r.todo = append(r.todo, span{offset: s.offset + s.length, length: gap})
		}
		end = s.offset
	}
	if end > 0 {
		r.todo = append(r.todo, span{length: end})
	}
}

// newEmptyRanges hands out one span of no bytes: for an object that shall be empty,
// and must be asked whether it is.
func newEmptyRanges() *ranges {
	return &ranges{todo: []span{{}}}
}

// take returns the next span, if there is one left to hand out.
func (r *ranges) take() (span, bool) {
	last := len(r.todo) - 1
	if last < 0 {
		return span{}, false
	}
	s := r.todo[last]
	if r.parts.Known() {
		_, end := r.parts.Part(r.parts.Of(s.offset))
		s.length = min(s.length, end-s.offset)
	}
	if !r.uncut {
		s.length = min(s.length, r.chunk)
	}
	if rest := &r.todo[last]; s.length < rest.length {
		rest.offset += s.length
		rest.length -= s.length
	} else {
		r.todo = r.todo[:last]
	}
	return s, true
}

// giveBack returns what a lost worker had not finished.
func (r *ranges) giveBack(s span) { r.todo = append(r.todo, s) }

// share returns a span in so many pieces, or fewer: none but the only one is smaller than leastPiece.
func (r *ranges) share(s span, pieces int) {
	n := max(1, min(int64(pieces), s.length/leastPiece))
	for i := n - 1; i >= 0; i-- {
		piece := s
		piece.offset = s.offset + s.length*i/n
		piece.length = s.offset + s.length*(i+1)/n - piece.offset
		r.giveBack(piece)
	}
}

// again has the bytes of a span that was finished fetched once more.
func (r *ranges) again(s span) {
	r.done -= s.length
	r.giveBack(s)
}

// finish counts n bytes as being in the file.
func (r *ranges) finish(n int64) { r.done += n }

// left tells whether take has anything to give.
func (r *ranges) left() bool { return len(r.todo) > 0 }

// complete tells whether every byte is in the file.
func (r *ranges) complete() bool { return r.done == r.size && !r.left() }
