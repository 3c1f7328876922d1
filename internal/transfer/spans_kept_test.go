package transfer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/s3processpool/processpool/internal/proof"
)

func TestRangesWithout(t *testing.T) {
	parts, _ := proof.UniformLayout(10, 4, 3)
	for _, c := range []struct {
		kept  []span
		parts proof.Layout
		uncut bool
		want  []span
	}{
		{kept: nil, want: []span{at(0, 3), at(3, 3), at(6, 3), at(9, 1)}},
		{kept: []span{at(0, 10)}, want: nil},
		{kept: []span{at(0, 4), at(4, 6)}, want: nil},
		{kept: []span{at(2, 1)}, want: []span{at(0, 2), at(3, 3), at(6, 3), at(9, 1)}},
		{kept: []span{at(0, 1), at(8, 2)}, want: []span{at(1, 3), at(4, 3), at(7, 1)}},
		{kept: []span{at(1, 1)}, parts: parts, want: []span{at(0, 1), at(2, 2), at(4, 3), at(7, 1), at(8, 2)}},
		{kept: []span{at(4, 4)}, parts: parts, uncut: true, want: []span{at(0, 4), at(8, 2)}},
	} {
		t.Run(fmt.Sprint(c.kept, c.uncut), func(t *testing.T) {
			r := cutBy(10, 3)
			r.plan.layout, r.plan.undivided = c.parts, c.uncut
			r.without(c.kept)
			var got []span
			for s, ok := r.take(); ok; s, ok = r.take() {
				got = append(got, s)
				r.finish(s.length)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if r.complete() != (len(c.kept) == 0) {
				t.Errorf("complete: got %v before what is kept was counted", r.complete())
			}
			for _, s := range c.kept {
				r.finish(s.length)
			}
			if !r.complete() {
				t.Error("not complete with every byte in the file")
			}
		})
	}
}

// A span that is given back, longer than a range, is cut up like any other.
func TestRangesGivenBackAreCut(t *testing.T) {
	r := cutBy(10, 3)
	r.without([]span{at(0, 10)})
	r.giveBack(span{offset: 1, length: 7, lost: 2})
	for _, want := range []span{{offset: 1, length: 3, lost: 2}, {offset: 4, length: 3, lost: 2}, {offset: 7, length: 1, lost: 2}} {
		if got, ok := r.take(); !ok || got != want {
			t.Errorf("got %v, %v, want %v", got, ok, want)
		}
	}
}

// FuzzRangesWithout: what is kept and what is handed out are the object, each byte once.
func FuzzRangesWithout(f *testing.F) {
	for seed := range uint64(10) {
		f.Add(seed, int64(100), int64(7))
	}
	f.Fuzz(func(t *testing.T, seed uint64, size, chunk int64) {
		if size < 1 || chunk < 1 || size/chunk > 1000 {
			t.Skip()
		}
		random := rand.New(rand.NewPCG(seed, 0))
		var all []span
		for offset := int64(0); offset < size && len(all) < 50; {
			s := span{offset: offset + random.Int64N(min(size-offset, 1+size/10))}
			s.length = 1 + random.Int64N(min(size-s.offset, 1+size/10))
			all = append(all, s)
			offset = s.offset + s.length
		}
		r := cutBy(size, chunk)
		r.without(all)
		for s, ok := r.take(); ok; s, ok = r.take() {
			if s.length > chunk || s.length < 1 {
				t.Fatalf("got %v, want at most %d bytes", s, chunk)
			}
			all = append(all, s)
		}
		slices.SortFunc(all, func(a, b span) int { return int(min(max(a.offset-b.offset, -1), 1)) })
		var end int64
		for _, s := range all {
			if s.offset != end {
				t.Fatalf("got %v behind %d of %d", s, end, size)
			}
			end += s.length
		}
		if end != size {
			t.Fatalf("got %d bytes, want %d", end, size)
		}
	})
}
