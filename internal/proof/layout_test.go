package proof

import (
	"fmt"
	"math"
	"testing"
)

// A layout from another process is believed only if it is one.
func TestFits(t *testing.T) {
	many := make([]int64, MaxParts+1)
	for i := range many {
		many[i] = int64(i + 1)
	}
	for _, c := range []struct {
		layout Layout
		size   int64
		want   bool
	}{
		{Layout{}, 10, true},
		{Layout{}, 0, true},
		{Layout{Uniform: 5, Size: 10}, 10, true},
		{Layout{Uniform: 5, Size: 11}, 11, true},
		{Layout{Uniform: 50, Size: 10}, 10, true},
		{Layout{Ends: []int64{1, 10}, Size: 10}, 10, true},
		{Layout{Ends: many[:MaxParts], Size: MaxParts}, MaxParts, true},
		{Layout{Uniform: 1, Size: MaxParts}, MaxParts, true},

		{Layout{Uniform: 5, Size: 10}, 11, false},
		{Layout{Uniform: -5, Size: 10}, 10, false},
		{Layout{Uniform: 5, Ends: []int64{5, 10}, Size: 10}, 10, false},
		{Layout{Uniform: 5}, 0, false},
		{Layout{Uniform: 1, Size: MaxParts + 1}, MaxParts + 1, false},
		{Layout{Uniform: 1, Size: math.MaxInt64}, math.MaxInt64, false},
		{Layout{Ends: []int64{1, 9}, Size: 10}, 10, false},
		{Layout{Ends: []int64{5, 5, 10}, Size: 10}, 10, false},
		{Layout{Ends: []int64{0, 10}, Size: 10}, 10, false},
		{Layout{Ends: []int64{-3, 10}, Size: 10}, 10, false},
		{Layout{Ends: []int64{7, 3, 10}, Size: 10}, 10, false},
		{Layout{Ends: many, Size: MaxParts + 1}, MaxParts + 1, false},
	} {
		name := fmt.Sprintf("uniform=%d,ends=%d,size=%d", c.layout.Uniform, len(c.layout.Ends), c.size)
		if got := c.layout.Fits(c.size); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if _, ok := UniformLayout(math.MaxInt32, 1, math.MaxInt32); ok {
		t.Error("a layout of 2^31-1 parts is believed")
	}
	if _, ok := ExactLayout(MaxParts+1, many); ok {
		t.Error("a layout of 10,001 parts is believed")
	}
}

// The arithmetic of the largest numbers does not overflow.
func TestLayoutOfExtremes(t *testing.T) {
	const most = math.MaxInt64
	for _, l := range []Layout{
		{Uniform: most, Size: 10},
		{Uniform: most, Size: most},
		{Uniform: most/2 + 1, Size: most},
		{Uniform: most / 10_000 * 2, Size: most},
		{Ends: []int64{1, most}, Size: most},
	} {
		if !l.Fits(l.Size) {
			t.Errorf("%+v does not fit", l)
			continue
		}
		at := int64(0)
		for i := range l.Count() {
			start, end := l.Part(i)
			if start != at || end <= start || l.Of(start) != i || l.Of(end-1) != i {
				t.Fatalf("%+v: part %d is %d to %d, behind %d", l, i, start, end, at)
			}
			at = end
		}
		if at != l.Size {
			t.Errorf("%+v: the parts end at %d", l, at)
		}
	}
	if l, ok := ExactLayout(4, []int64{most, most, 6}); ok {
		t.Errorf("got %+v of parts whose sum overflows", l)
	}
}
