package checksum

import (
	"math/bits"
	"sync"
)

// Combine returns the CRC of two adjacent pieces, given the CRC of each and the length of the
// second. It panics if a does not combine, or if the length is negative.
//
// A CRC is the remainder of the message, read as a polynomial over GF(2), divided by P. Appending n
// bytes multiplies the preceding polynomial by x^(8n), and the initial and final inversions cancel
// out:
//
//	crc(AB) = crc(A)·x^(8·len(B)) mod P + crc(B)
//
// This is the method of zlib's crc32_combine (https://github.com/madler/zlib/blob/v1.3.1/crc32.c).
// Any length up to the largest int64 takes at most sixteen multiplications, one for each nonzero
// hexadecimal digit. The round sizes of ranges take one.
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

// field implements the arithmetic of polynomials modulo the polynomial of one CRC. The least
// significant bit is the highest power, as in all CRCs of S3: bit width-1 is 1 and bit width-2 is
// x.
type field struct {
	poly  uint64
	width int
	once  sync.Once
	table powerTable
}

// powerTable holds x^(8·j·16^i) at [i][j]. Its 2 KiB make Combine several times faster than
// repeated squaring, one bit of the length at a time.
type powerTable [16][16]uint64

// The polynomials of the Rocksoft parameters, with their bits reversed.
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

// powers returns the table, and builds it at first use in about 20 µs. Most processes need one
// algorithm or none.
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

// multiply returns a·b mod P without a branch that depends on the values. A branch predictor would
// guess half of them wrong.
func (f *field) multiply(a, b uint64) uint64 {
	var product uint64
	for a <<= 64 - f.width; a != 0; a <<= 1 {
		product ^= b & -(a >> 63)
		b = b>>1 ^ f.poly&-(b&1)
	}
	return product
}
