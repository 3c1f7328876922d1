package processpool

import (
	"fmt"
	"testing"

	"github.com/s3processpool/processpool/internal/transfer"
)

// The threshold decides whether an object is split, and the chunk where.
func TestRanges(t *testing.T) {
	for _, c := range []struct {
		threshold, chunk, size int64
		whole                  bool
	}{
		{8 << 20, 8 << 20, 0, true},
		{8 << 20, 8 << 20, 8<<20 - 1, true},
		{8 << 20, 8 << 20, 8 << 20, false},
		{8 << 20, 8 << 20, 5 << 40, false},
		{1, 100, 1, false},
		{1, 1, 0, true},
		{1 << 62, 1, 1 << 40, true},
	} {
		t.Run(fmt.Sprintf("threshold=%d,chunk=%d,size=%d", c.threshold, c.chunk, c.size), func(t *testing.T) {
			got := ranges{c.threshold, c.chunk}.cut(c.size)
			if want := (transfer.Cut{Whole: c.whole, Chunk: c.chunk}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}
