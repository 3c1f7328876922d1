package transfer

import (
	"slices"

	"github.com/s3processpool/processpool/internal/ipc"
)

// span is a range of an object that one job fetches.
type span struct {
	offset, length int64
	lost           int   // workers that died over it in a row without headway
	best           int64 // bytes that the most successful of them had written
	tried          int   // requests that were made for it, where somebody is told
	reclaimed      int   // times that it was taken back from a slow connection
}

// spans hands out the bytes that a plan fetches, from the first to the last, as the plan cuts them. A span is
// made when it is taken, so that a 5 TiB object costs no more memory than a small one. It is not
// for concurrent use.
//
// Invariant: a byte is either in todo, or in a span taken and not given back, or done.
type spans struct {
	plan plan
	todo []span // not handed out, the next one last; of any length
	done int64  // bytes in the file for good
}

// newSpans returns all of the plan's bytes. An object whose size must yet be confirmed to be 0, or
// to be anything, has one span of no bytes.
func newSpans(p plan) *spans {
	s := &spans{plan: p}
	switch {
	case p.length() > 0:
		s.todo = []span{{offset: p.first, length: p.length()}}
	case !p.confirmed:
		s.todo = []span{{}}
	}
	if p.end == ipc.SizeUnknown {
		s.plan.end = 0
	}
	return s
}

// without leaves out spans that need not be fetched, given by offset, none over another, before
// anything is taken.
func (r *spans) without(kept []span) {
	r.todo = r.todo[:0]
	end := r.plan.end
	for _, s := range slices.Backward(kept) {
		if gap := end - (s.offset + s.length); gap > 0 {
			r.todo = append(r.todo, span{offset: s.offset + s.length, length: gap})
		}
		end = s.offset
	}
	if first := r.plan.first; end > first {
		r.todo = append(r.todo, span{offset: first, length: end - first})
	}
}

// take returns the next span, if there is one left to hand out.
func (r *spans) take() (span, bool) {
	last := len(r.todo) - 1
	if last < 0 {
		return span{}, false
	}
	s := r.todo[last]
	if layout := r.plan.layout; layout.Known() {
		_, end := layout.Part(layout.Of(s.offset))
		s.length = min(s.length, end-s.offset)
	}
	if !r.plan.undivided {
		s.length = min(s.length, r.plan.chunk)
	}
	if rest := &r.todo[last]; s.length < rest.length {
		rest.offset += s.length
		rest.length -= s.length
	} else {
		r.todo = r.todo[:last]
	}
	return s, true
}

// count returns about how many spans take would return.
func (r *spans) count() (n int) {
	most := max(r.plan.chunk, 1)
	for _, s := range r.todo {
		n += int(min((s.length-1)/most, 1<<20)) + 1
	}
	return n
}

// giveBack returns a span that was taken, or what is missing of it.
func (r *spans) giveBack(s span) { r.todo = append(r.todo, s) }

// share gives a span back in so many pieces, or fewer: none but the only one is smaller than
// leastPiece.
func (r *spans) share(s span, pieces int) {
	n := max(1, min(int64(pieces), s.length/leastPiece))
	cut := func(i int64) int64 { return s.length/n*i + s.length%n*i/n } // the product may be too large
	for i := n - 1; i >= 0; i-- {
		piece := s
		piece.offset = s.offset + cut(i)
		piece.length = cut(i+1) - cut(i)
		r.giveBack(piece)
	}
}

// again has the bytes of a span that was finished fetched once more.
func (r *spans) again(s span) {
	r.done -= s.length
	r.giveBack(s)
}

// finish counts n bytes as being in the file.
func (r *spans) finish(n int64) { r.done += n }

// complete reports whether every byte is in the file.
func (r *spans) complete() bool { return r.done == r.plan.length() && len(r.todo) == 0 }
