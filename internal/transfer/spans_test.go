package transfer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/s3processpool/processpool/internal/proof"
)

// cutBy returns the spans of an object that is cut by its size alone.
func cutBy(size, chunk int64) *spans {
	return newSpans(plan{size: size, end: size, confirmed: true, chunk: chunk})
}

func at(offset, length int64) span { return span{offset: offset, length: length} }

// The expectations with num_parts and bytes= are of upstream's tests; the last range is closed
// here.
func TestRanges(t *testing.T) {
	for _, c := range []struct {
		size, chunk int64
		want        []span
	}{
		{0, 2, nil},
		{1, 2, []span{at(0, 1)}},
		{2, 2, []span{at(0, 2)}},
		{3, 2, []span{at(0, 2), at(2, 1)}}, // num_parts(3, 2) = 2
		{4, 2, []span{at(0, 2), at(2, 2)}}, // num_parts(4, 2) = 2
		{8, 5, []span{at(0, 5), at(5, 3)}}, // last with total 8: bytes=5-7
		{11, 5, []span{at(0, 5), at(5, 5), at(10, 1)}},
		{math.MaxInt64, 1 << 62, []span{at(0, 1<<62), at(1<<62, 1<<62-1)}},
		{math.MaxInt64, math.MaxInt64, []span{at(0, math.MaxInt64)}},
	} {
		t.Run(fmt.Sprintf("size=%d,chunk=%d", c.size, c.chunk), func(t *testing.T) {
			r := cutBy(c.size, c.chunk)
			var got []span
			for s, ok := r.take(); ok; s, ok = r.take() {
				got = append(got, s)
				if r.complete() {
					t.Errorf("complete before %v has arrived", s)
				}
				r.finish(s.length)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if !r.complete() || (len(r.todo) > 0) {
				t.Errorf("got complete %v, left %v, want true, false", r.complete(), (len(r.todo) > 0))
			}
		})
	}
}

func TestRangesOfAnEmptyObject(t *testing.T) {
	r := newSpans(planUnknown(&Request{}))
	if r.complete() || !(len(r.todo) > 0) {
		t.Errorf("got complete %v, left %v, want a request to come first", r.complete(), (len(r.todo) > 0))
	}
	if s, ok := r.take(); !ok || s != (span{}) {
		t.Errorf("got %v, %v, want a span of no bytes", s, ok)
	}
	if s, ok := r.take(); ok || !r.complete() {
		t.Errorf("got another, %v", s)
	}
}

// Where an object's parts are known no range crosses from one to the next, and uncut
// each part is one range.
func TestRangesOfParts(t *testing.T) {
	layout, ok := proof.ExactLayout(12, []int64{5, 1, 6})
	if !ok {
		t.Fatal("no layout")
	}
	for uncut, want := range map[bool][]span{
		false: {at(0, 4), at(4, 1), at(5, 1), at(6, 4), at(10, 2)},
		true:  {at(0, 5), at(5, 1), at(6, 6)},
	} {
		r := cutBy(12, 4)
		r.plan.layout, r.plan.undivided = layout, uncut
		var got []span
		for s, ok := r.take(); ok; s, ok = r.take() {
			got = append(got, s)
			r.finish(s.length)
		}
		if !slices.Equal(got, want) || !r.complete() {
			t.Errorf("uncut %v: got %v, complete %v, want %v, true", uncut, got, r.complete(), want)
		}
	}
}

// A range that has to be fetched again counts as not there.
func TestRangesAgain(t *testing.T) {
	r := cutBy(10, 5)
	first, _ := r.take()
	second, _ := r.take()
	r.finish(first.length)
	r.finish(second.length)
	r.again(first)
	if r.complete() || !(len(r.todo) > 0) {
		t.Errorf("got complete %v, left %v, want false, true", r.complete(), (len(r.todo) > 0))
	}
	if s, ok := r.take(); !ok || s != first {
		t.Errorf("got %v, %v, want %v", s, ok, first)
	}
	r.finish(first.length)
	if !r.complete() {
		t.Error("not complete with every byte in the file")
	}
}

func TestRangesGivenBackComeFirst(t *testing.T) {
	r := cutBy(10, 4)
	first, _ := r.take()
	second, _ := r.take()
	r.finish(second.length)
	rest := span{offset: first.offset + 3, length: 1, lost: 1}
	r.finish(3)
	r.giveBack(rest)
	if s, ok := r.take(); !ok || s != rest {
		t.Errorf("got %v, %v, want what was given back: %v", s, ok, rest)
	}
	if s, ok := r.take(); !ok || s != at(8, 2) {
		t.Errorf("got %v, %v, want the last range", s, ok)
	}
	r.finish(1)
	if r.complete() {
		t.Error("complete with a range out")
	}
	r.finish(2)
	if !r.complete() {
		t.Error("not complete with every byte in the file")
	}
}

// What is missing of a slow range is shared out, in no piece that is hardly worth a request.
func TestRangesShare(t *testing.T) {
	for _, c := range []struct {
		length int64
		pieces int
		want   []span
	}{
		{8 * (1 << 20), 4, []span{at(7, 2*(1<<20)), at(7+2*(1<<20), 2*(1<<20)), at(7+4*(1<<20), 2*(1<<20)), at(7+6*(1<<20), 2*(1<<20))}},
		{8*(1<<20) + 2, 3, []span{at(7, 2796203), at(7+2796203, 2796203), at(7+5592406, 2796204)}},
		{3*(1<<20) - 1, 9, []span{at(7, 1572863), at(7+1572863, 1572864)}},
		{2*(1<<20) - 1, 9, []span{at(7, 2*(1<<20)-1)}},
		{1, 9, []span{at(7, 1)}},
		{8 * (1 << 20), 0, []span{at(7, 8*(1<<20))}},
	} {
		r := cutBy(7, 7)
		r.take()
		r.plan.chunk = 8 * (1 << 20)
		s := at(7, c.length)
		s.lost, s.reclaimed = 1, 2
		r.share(s, c.pieces)
		var got []span
		for s, ok := r.take(); ok; s, ok = r.take() {
			if s.lost != 1 || s.reclaimed != 2 {
				t.Errorf("got %v, want its losses remembered", s)
			}
			got = append(got, at(s.offset, s.length))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%d bytes for %d: got %v, want %v", c.length, c.pieces, got, c.want)
		}
	}
}

// A 5 TiB object must cost no memory per range.
func TestRangesAllocateNothing(t *testing.T) {
	r := cutBy(5<<40, 8*(1<<20))
	if n := testing.AllocsPerRun(1000, func() { r.take() }); n != 0 {
		t.Errorf("got %v allocations a range, want 0", n)
	}
}

// FuzzRanges plays workers that finish ranges, or are lost over them, in any order.
// However it comes, the bytes in the file are the object's, each once.
func FuzzRanges(f *testing.F) {
	f.Add(int64(0), int64(1), int64(0), uint64(0))
	f.Add(int64(8388607), int64(8388608), int64(0), uint64(1))
	f.Add(int64(8388608), int64(8388608), int64(5242880), uint64(2))
	f.Add(int64(8388609), int64(8388608), int64(8388608), uint64(3))
	f.Add(int64(100), int64(7), int64(10), uint64(4))
	f.Add(int64(math.MaxInt64), int64(math.MaxInt64/3), int64(0), uint64(5))
	f.Fuzz(func(t *testing.T, size, chunk, part int64, seed uint64) {
		if size < 0 || chunk < 1 || size/chunk > 1000 || part < 0 || part > 0 && (size/part > 1000 || part > size) {
			t.Skip()
		}
		random := rand.New(rand.NewPCG(seed, 0))
		r := cutBy(size, chunk)
		if part > 0 {
			r.plan.layout, r.plan.undivided = proof.Layout{Uniform: part, Size: size}, seed%2 == 0
		}
		var out, done []span
		for !r.complete() {
			if s, ok := r.take(); ok && (len(out) == 0 || random.IntN(2) == 0) {
				if s.length < 1 || s.length > chunk && !r.plan.undivided || part > 0 && s.offset/part != (s.offset+s.length-1)/part {
					t.Fatalf("size %d, chunk %d, part %d: got %v, want at most the chunk, in one part", size, chunk, part, s)
				}
				out = append(out, s)
				continue
			} else if ok {
				r.giveBack(s)
			}
			i := random.IntN(len(out))
			s := out[i]
			out = slices.Delete(out, i, i+1)
			written := s.length
			if s.lost < 2 && random.IntN(3) == 0 {
				written = random.Int64N(s.length)
				r.giveBack(span{offset: s.offset + written, length: s.length - written, lost: s.lost + 1})
			}
			r.finish(written)
			done = append(done, span{offset: s.offset, length: written})
		}
		slices.SortFunc(done, func(a, b span) int {
			if a.offset != b.offset {
				return int(min(max(a.offset-b.offset, -1), 1))
			}
			return int(min(max(a.length-b.length, -1), 1))
		})
		var next int64
		for _, s := range done {
			if s.offset != next {
				t.Fatalf("size %d, chunk %d, part %d: got a range at %d, want one at %d", size, chunk, part, s.offset, next)
			}
			next += s.length
		}
		if next != size || len(out) > 0 {
			t.Errorf("size %d, chunk %d, part %d: got %d bytes and %d ranges out, want all and none", size, chunk, part, next, len(out))
		}
	})
}
