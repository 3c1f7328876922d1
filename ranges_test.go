package processpool

import (
	"fmt"
	"os"
	"strings"
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

// The parts of Shard must not change: machines of one job may have different versions. Its docstring
// has the same vectors.
func TestShard(t *testing.T) {
	source, err := os.ReadFile("all.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct {
		key string
		of  [3]int // parts of 2, 10 and 1000
	}{
		{"a", [3]int{0, 0, 250}},
		{"photos/2026/a.jpg", [3]int{0, 6, 686}},
		{"data/part-00000.parquet", [3]int{1, 7, 367}},
		{"ü/日", [3]int{1, 7, 397}},
	} {
		for i, count := range []int{2, 10, 1000} {
			for index := range count {
				mine, err := Shard(index, count)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := mine(v.key), index == v.of[i]; got != want {
					t.Errorf("%q, shard %d of %d: got %v, want %v", v.key, index, count, got, want)
				}
			}
		}
		row := fmt.Sprintf("//\t%-23s %5d %6d %8d\n", v.key, v.of[0], v.of[1], v.of[2])
		if !strings.Contains(string(source), row) {
			t.Errorf("the docstring does not have %q", row)
		}
	}
}

func TestShardOfNone(t *testing.T) {
	for _, c := range [][2]int{{0, 0}, {-1, 1}, {1, 1}, {4, 4}, {0, -1}} {
		mine, err := Shard(c[0], c[1])
		if want := fmt.Sprintf("no shard %d of %d", c[0], c[1]); mine != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// Each key belongs to exactly one part, and keys that count up are spread evenly.
func TestShardSpreads(t *testing.T) {
	const count = 7
	var parts [count]int
	for i := range 7000 {
		key, owners := fmt.Sprintf("data/part-%05d.parquet", i), 0
		for index := range count {
			mine, err := Shard(index, count)
			if err != nil {
				t.Fatal(err)
			}
			if mine(key) {
				owners++
				parts[index]++
			}
		}
		if owners != 1 {
			t.Errorf("%q belongs to %d parts", key, owners)
		}
	}
	for i, n := range parts {
		if n < 850 || n > 1150 {
			t.Errorf("part %d has %d of 7000 keys", i, n)
		}
	}
}
