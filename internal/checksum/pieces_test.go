package checksum

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

func TestPiecesInAnyOrder(t *testing.T) {
	const seed = 3
	random := rand.New(rand.NewPCG(seed, seed))
	for _, a := range crcs {
		for range 50 {
			data := randomBytes(random, 1+random.IntN(4000))
			size := int64(len(data))
			var cuts []int // piece i is [cuts[i],cuts[i+1]); some are empty
			for at := 0; at < len(data); at = min(at+random.IntN(300), len(data)) {
				cuts = append(cuts, at)
			}
			cuts = append(cuts, len(data))
			pieces := NewPieces(a)
			order := random.Perm(len(cuts) - 1)
			missing := len(data)
			for _, i := range order {
				if _, ok := pieces.Whole(size); ok && missing > 0 {
					t.Fatalf("%s: whole while %d bytes are missing", a, missing)
				}
				piece := data[cuts[i]:cuts[i+1]]
				pieces.Add(int64(cuts[i]), int64(len(piece)), a.Update(0, piece))
				missing -= len(piece)
			}
			got, ok := pieces.Whole(size)
			if want := a.Update(0, data); !ok || got != want {
				t.Fatalf("%s of %d bytes in %d pieces: got %x, %t, want %x", a, size, len(cuts)-1, got, ok, want)
			}
			if len(pieces.runs) != 1 {
				t.Fatalf("%d runs are left", len(pieces.runs))
			}
		}
	}
}

// TestPiecesMemory adds the pieces of 5 TiB out of order within a window, as a pool does.
func TestPiecesMemory(t *testing.T) {
	const (
		seed   = 4
		chunk  = 8 << 20
		window = 32
		size   = int64(5) << 40
	)
	random := rand.New(rand.NewPCG(seed, seed))
	pieces := NewPieces(CRC64NVME)
	var inFlight []int64
	most := 0
	for next := int64(0); next < size || len(inFlight) > 0; {
		for ; len(inFlight) < window && next < size; next += chunk {
			inFlight = append(inFlight, next)
		}
		i := random.IntN(len(inFlight))
		pieces.Add(inFlight[i], chunk, 0)
		inFlight[i] = inFlight[len(inFlight)-1]
		inFlight = inFlight[:len(inFlight)-1]
		most = max(most, len(pieces.runs))
	}
	if most > window+1 {
		t.Errorf("%d runs at most, want no more than %d", most, window+1)
	}
	if _, ok := pieces.Whole(size); !ok {
		t.Error("not whole")
	}
}

func TestPiecesWhole(t *testing.T) {
	type piece struct{ offset, length int64 }
	for name, test := range map[string]struct {
		pieces []piece
		size   int64
		want   bool
	}{
		"nothing of nothing":       {nil, 0, true},
		"an empty piece":           {[]piece{{0, 0}}, 0, true},
		"nothing of one":           {nil, 1, false},
		"the first missing":        {[]piece{{1, 9}}, 10, false},
		"the last missing":         {[]piece{{0, 9}}, 10, false},
		"a hole":                   {[]piece{{0, 4}, {5, 5}}, 10, false},
		"beyond the end":           {[]piece{{0, 11}}, 10, false},
		"another beyond the end":   {[]piece{{0, 10}, {11, 1}}, 10, false},
		"something of nothing":     {[]piece{{0, 1}}, 0, false},
		"whole":                    {[]piece{{4, 6}, {0, 4}}, 10, true},
		"whole with empty pieces":  {[]piece{{0, 4}, {2, 0}, {10, 0}, {4, 6}, {4, 0}}, 10, true},
		"whole, the largest there": {[]piece{{1, math.MaxInt64 - 1}, {0, 1}}, math.MaxInt64, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewPieces(CRC32)
			for _, piece := range test.pieces {
				p.Add(piece.offset, piece.length, 1)
			}
			if _, got := p.Whole(test.size); got != test.want {
				t.Errorf("Whole(%d) = %t, want %t", test.size, got, test.want)
			}
		})
	}
}

func TestPiecesOverlap(t *testing.T) {
	for _, test := range [][2]int64{{10, 10}, {9, 2}, {19, 1}, {12, 3}, {10, 1}, {0, 11}, {0, 100}, {39, 2}, {29, 2}, {18, 14}, {-1, 1}, {0, -1}, {math.MaxInt64, 1}} {
		name := strconv.FormatInt(test[0], 10) + "+" + strconv.FormatInt(test[1], 10)
		p := NewPieces(CRC32)
		p.Add(10, 10, 1)
		p.Add(30, 10, 1)
		mustPanic(t, name, func() { p.Add(test[0], test[1], 1) })
	}
}

func BenchmarkPiecesInOrder(b *testing.B) {
	b.ReportAllocs()
	p, offset := NewPieces(CRC64NVME), int64(0)
	for b.Loop() {
		p.Add(offset, 8<<20, 0x0123456789abcdef)
		offset += 8 << 20
	}
}
