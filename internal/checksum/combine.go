package checksum

import (
	"math/bits"
	"sync"
)

// Combine returns the CRC of two pieces in a row from the CRC of each and the length of the second.
//
// A CRC is the remainder of the message, read as a polynomial over GF(2), divided by P. Appending
// n bytes multiplies what came before by x^(8n), and all conditioning with ones cancels out, so that
//
//	crc(AB) = crc(A)·x^(8·len(B)) mod P + crc(B)
//
// as in zlib's crc32_combine (https://github.com/madler/zlib/blob/v1.3.1/crc32.c). Any length up to
// the largest int64 takes at most sixteen multiplications, one for each digit of it in base sixteen
// that is not 0; the round sizes that ranges have take one.
func Combine(a Algorithm, first, second uint64, secondLen int64) uint64 {
	if secondLen < 0 {
		panic("checksum: negative length of a piece")
	}
	f := a.field()
	powers := f.powers()
	product := first
	for n := uint64(secondLen); n != 0; {
		digit := bits.TrailingZeros64(n) / 4
		product = f.multiply(powers[digit][n>>(4*digit)&15], product)
		n &^= 15 << (4 * digit)
	}
	return product ^ second
}

// field is the arithmetic of polynomials modulo that of one CRC, least significant bit the highest
// power: the domain the CRCs of S3 are defined in. 1 is the bit width-1, x the bit width-2.
type field struct {
	poly  uint64
	width int
	once  sync.Once
	table powerTable
}

// powerTable holds x^(8·j·16^i) at [i][j]. 2 KiB make it several times faster than squaring one
// bit of the length at a time.
type powerTable [16][16]uint64

// The polynomials as Rocksoft's parameters give them, bits reversed.
var (
	fieldCRC64NVME = field{poly: 0x9a6c9329ac4bc9b5, width: 64}
	fieldCRC32C    = field{poly: 0x82f63b78, width: 32}
	fieldCRC32     = field{poly: 0xedb88320, width: 32}
)

func (a Algorithm) field() *field {
	switch a {
	case CRC64NVME:
		return &fieldCRC64NVME
	case CRC32C:
		return &fieldCRC32C
	case CRC32:
		return &fieldCRC32
	}
	panic(noCRC(a))
}

// powers builds the table at first use, in some 20 µs: most processes need one algorithm or none.
func (f *field) powers() *powerTable {
	f.once.Do(func() {
		base := uint64(1) << (f.width - 1 - 8) // x^8
		for i := range f.table {
			f.table[i][0] = 1 << (f.width - 1)
			for j := 1; j < 16; j++ {
				f.table[i][j] = f.multiply(base, f.table[i][j-1])
			}
			base = f.multiply(base, f.table[i][15])
		}
	})
	return &f.table
}

// multiply returns a·b mod P, without a branch that depends on the values: a predictor would get
// half of them wrong.
func (f *field) multiply(a, b uint64) uint64 {
	var product uint64
	for a <<= 64 - f.width; a != 0; a <<= 1 {
		product ^= b & -(a >> 63)
		b = b>>1 ^ f.poly&-(b&1)
	}
	return product
}
