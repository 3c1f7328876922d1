package checksum

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

var crcs = []Algorithm{CRC64NVME, CRC32C, CRC32}

// vectors are the digests of "123456789", as S3 encodes them. Those of the CRCs are the check
// values in https://reveng.sourceforge.io/crc-catalogue/all.htm, and those of XXHASH are
// libxxhash's.
var vectors = []struct {
	algorithm Algorithm
	crc       uint64
	value     string
}{
	{CRC64NVME, 0xae8b14860a799888, "rosUhgp5mIg="},
	{CRC32C, 0xe3069283, "4waSgw=="},
	{CRC32, 0xcbf43926, "y/Q5Jg=="},
	{XXHASH3, 0, "ctyxi2ehff8="},
	{XXHASH128, 0, "MxGUd+3l3NXpcWQnaB1YYA=="},
	{XXHASH64, 0, "jLhB20DmroM="},
	{SHA1, 0, "98O8HYCOBHMq32eZZczDTKeuNEE="},
	{SHA256, 0, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="},
	{SHA512, 0, "2eZ2LdHI6vbWGzxhkvxAjU1tXxF20MKRabwk5xw/J0rSf81YEbMT1oH35V7ALXPUmclUVba1u1A6z1dPuo/+hQ=="},
	{MD5, 0, "JfnnlDI7RTiF9RgfG2JNCw=="},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		h := v.algorithm.New()
		h.Write([]byte("1234"))
		h.Write([]byte("56789"))
		sum := h.Sum(nil)
		if got := base64.StdEncoding.EncodeToString(sum); got != v.value {
			t.Errorf("%s: got %s, want %s", v.algorithm, got, v.value)
		}
		if len(sum) != v.algorithm.Size() {
			t.Errorf("%s: Size() = %d, a digest has %d", v.algorithm, v.algorithm.Size(), len(sum))
		}
		if got, want := v.algorithm.Combines(), v.crc != 0; got != want {
			t.Errorf("%s: Combines() = %t, want %t", v.algorithm, got, want)
		}
		if !v.algorithm.Combines() {
			continue
		}
		crc := v.algorithm.Update(v.algorithm.Update(0, []byte("1234")), []byte("56789"))
		if crc != v.crc {
			t.Errorf("%s: Update gives %x, want %x", v.algorithm, crc, v.crc)
		}
		if got := base64.StdEncoding.EncodeToString(v.algorithm.Bytes(crc)); got != v.value {
			t.Errorf("%s: Bytes gives %s, want %s", v.algorithm, got, v.value)
		}
	}
}

// Algorithms are those that the SDK knows, and the vectors cover them.
func TestAlgorithms(t *testing.T) {
	known := types.ChecksumAlgorithm("").Values()
	if len(known) != len(Algorithms) || len(vectors) != len(Algorithms) {
		t.Errorf("got %d algorithms and %d vectors, want %d", len(Algorithms), len(vectors), len(known))
	}
	for _, a := range known {
		if !slices.Contains(Algorithms, Algorithm(a)) || !Algorithm(a).Known() {
			t.Errorf("%s is not known", a)
		}
	}
}

// TestXXHash has the values of aws-checksums for "Hello world", which the SDKs with that library
// send to S3 (https://github.com/awslabs/aws-checksums, tests/xxhash_test.c), and those of
// libxxhash 0.8.1 for 100,003 bytes, which is far more than the 240 from which on XXH3 works in
// blocks.
func TestXXHash(t *testing.T) {
	long := make([]byte, 100_003)
	for i := range long {
		long[i] = byte((i*7 + i/256) % 251)
	}
	for _, v := range []struct {
		algorithm   Algorithm
		hello, long string
	}{
		{XXHASH64, "c500b0c912b376d8", "f8b0ae541b42af1a"},
		{XXHASH3, "b6acb9d84a38ff74", "5f98b17a5d2dc996"},
		{XXHASH128, "7351f89812f97382b91d05b31e04dd7f", "d4c764b87a318f155f98b17a5d2dc996"},
	} {
		for _, piece := range []int{1, 7, 4096, len(long)} {
			for text, want := range map[string]string{"Hello world": v.hello, string(long): v.long} {
				h := v.algorithm.New()
				for rest := []byte(text); len(rest) > 0; {
					n := min(piece, len(rest))
					h.Write(rest[:n])
					rest = rest[n:]
				}
				if got := hex.EncodeToString(h.Sum(nil)); got != want {
					t.Errorf("%s of %d bytes in pieces of %d: got %s, want %s", v.algorithm, len(text), piece, got, want)
				}
			}
		}
	}
}

func TestUnknownAlgorithm(t *testing.T) {
	for _, a := range []Algorithm{"", "crc32", "XXHASH32"} {
		if h := a.New(); h != nil {
			t.Errorf("%q: New is not nil", a)
		}
		if a.Combines() || a.Known() {
			t.Errorf("%q: Combines or is Known", a)
		}
	}
}

func TestNoCRC(t *testing.T) {
	for name, f := range map[string]func(){
		"Update":    func() { SHA256.Update(0, nil) },
		"Bytes":     func() { MD5.Bytes(0) },
		"Combine":   func() { Combine(SHA1, 0, 0, 0) },
		"NewPieces": func() { NewPieces("") },
		"length":    func() { Combine(CRC32, 0, 0, -1) },
	} {
		mustPanic(t, name, f)
	}
}

func mustPanic(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", name)
		}
	}()
	f()
}

func BenchmarkUpdate(b *testing.B) {
	p := make([]byte, 1<<20)
	for _, a := range crcs {
		b.Run(string(a), func(b *testing.B) {
			b.SetBytes(int64(len(p)))
			var crc uint64
			for b.Loop() {
				crc = a.Update(crc, p)
			}
		})
	}
	for _, a := range Algorithms[len(crcs):] {
		b.Run(string(a), func(b *testing.B) {
			b.SetBytes(int64(len(p)))
			h := a.New()
			for b.Loop() {
				h.Write(p)
			}
		})
	}
}
