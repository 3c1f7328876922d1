package checksum

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

func TestCombineSplits(t *testing.T) {
	const seed = 1
	random := rand.New(rand.NewPCG(seed, seed))
	for _, a := range crcs {
		for range 200 {
			data := randomBytes(random, random.IntN(5000))
			want := a.Update(0, data)
			var got uint64
			for rest := data; ; {
				n := min(random.IntN(700), len(rest))
				if random.IntN(4) == 0 {
					n = 0
				}
				got = Combine(a, got, a.Update(0, rest[:n]), int64(n))
				if rest = rest[n:]; len(rest) == 0 {
					break
				}
			}
			if got != want {
				t.Fatalf("%s of %d bytes: got %x, want %x", a, len(data), got, want)
			}
		}
	}
}

// TestCombineZeros appends runs of zeros too long to be hashed. zeros.apply computes the expected
// CRC by another method.
func TestCombineZeros(t *testing.T) {
	lengths := []int64{0, 1, 7, 15, 16, 17, 4095, 8 << 20, 1<<32 - 1, 1 << 32, 1<<32 + 1, 5 << 40, 48_828_125_000_003, math.MaxInt64 - 1, math.MaxInt64}
	for _, a := range crcs {
		z := newZeros(a)
		for _, n := range lengths {
			if n < 1<<16 { // check the reference itself against the plain CRC
				data := append([]byte("first"), make([]byte, n)...)
				if got, want := z.apply(a.Update(0, []byte("first")), n), a.Update(0, data); got != want {
					t.Fatalf("%s: the test is wrong: %d zeros give %x, want %x", a, n, got, want)
				}
			}
			first := a.Update(0, []byte("first"))
			if got, want := Combine(a, first, z.apply(0, n), n), z.apply(first, n); got != want {
				t.Errorf("%s, n=%d: got %x, want %x", a, n, got, want)
			}
		}
	}
}

func TestCombineAssociates(t *testing.T) {
	const seed = 2
	random := rand.New(rand.NewPCG(seed, seed))
	for _, a := range crcs {
		mask := uint64(math.MaxUint64) >> (64 - 8*a.Size())
		for range 1000 {
			x, y, z := random.Uint64()&mask, random.Uint64()&mask, random.Uint64()&mask
			m, n := random.Int64N(1<<62), random.Int64N(1<<62)
			left := Combine(a, Combine(a, x, y, m), z, n)
			right := Combine(a, x, Combine(a, y, z, n), m+n)
			if left != right {
				t.Fatalf("%s, lengths %d and %d: (xy)z = %x, x(yz) = %x", a, m, n, left, right)
			}
		}
	}
}

func TestCombineAllocates(t *testing.T) {
	for _, a := range crcs {
		Combine(a, 1, 2, 3)
		if got := testing.AllocsPerRun(10, func() { Combine(a, 1, 2, 1<<40+12345) }); got != 0 {
			t.Errorf("%s: %v allocations", a, got)
		}
	}
}

// zeros computes the effect of appended zeros on a CRC as zlib did before version 1.2.12. Entry i
// holds the columns of the matrix over GF(2) that advances the register by 2^i zero bytes.
type zeros struct {
	ones   uint64
	matrix [63][64]uint64
}

func newZeros(a Algorithm) *zeros {
	z := &zeros{ones: math.MaxUint64 >> (64 - 8*a.Size())}
	for column := range 8 * a.Size() {
		// The algorithm itself gives the matrix of one byte: the register is the complement of the
		// CRC, and linear.
		register := uint64(1) << column
		z.matrix[0][column] = ^a.Update(^register&z.ones, []byte{0}) & z.ones
	}
	for i := 1; i < len(z.matrix); i++ {
		for column := range z.matrix[i] {
			z.matrix[i][column] = times(&z.matrix[i-1], z.matrix[i-1][column])
		}
	}
	return z
}

func (z *zeros) apply(crc uint64, n int64) uint64 {
	register := ^crc & z.ones
	for i := range z.matrix {
		if n>>i&1 == 1 {
			register = times(&z.matrix[i], register)
		}
	}
	return ^register & z.ones
}

func times(matrix *[64]uint64, vector uint64) (product uint64) {
	for ; vector != 0; vector &= vector - 1 {
		product ^= matrix[bits.TrailingZeros64(vector)]
	}
	return product
}

func randomBytes(random *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(random.Uint32())
	}
	return p
}

func FuzzCombine(f *testing.F) {
	f.Add([]byte("123456789"), uint16(4), uint16(4))
	f.Add([]byte{}, uint16(0), uint16(0))
	f.Fuzz(func(t *testing.T, data []byte, i, j uint16) {
		first := min(int(i), len(data))
		second := min(first+int(j), len(data))
		for _, a := range crcs {
			x, y, z := a.Update(0, data[:first]), a.Update(0, data[first:second]), a.Update(0, data[second:])
			got := Combine(a, Combine(a, x, y, int64(second-first)), z, int64(len(data)-second))
			if want := a.Update(0, data); got != want {
				t.Errorf("%s split at %d and %d: got %x, want %x", a, first, second, got, want)
			}
		}
	})
}

func BenchmarkCombine(b *testing.B) {
	for _, length := range []struct {
		name string
		n    int64
	}{{"8MiB", 8 << 20}, {"8388607", 8<<20 - 1}, {"5TiB-1", 5<<40 - 1}, {"MaxInt64", math.MaxInt64}} {
		for _, a := range crcs {
			b.Run(string(a)+"/"+length.name, func(b *testing.B) {
				crc := uint64(0x12345678)
				for b.Loop() {
					crc = Combine(a, crc, 0x9abcdef0, length.n)
				}
			})
		}
	}
}
