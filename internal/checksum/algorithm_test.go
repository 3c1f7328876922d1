package checksum

import (
	"encoding/base64"
	"testing"
)

var crcs = []Algorithm{CRC64NVME, CRC32C, CRC32}

// vectors are the digests of "123456789", as S3 encodes them. Those of the CRCs are the check
// values in https://reveng.sourceforge.io/crc-catalogue/all.htm.
var vectors = []struct {
	algorithm Algorithm
	crc       uint64
	value     string
}{
	{CRC64NVME, 0xae8b14860a799888, "rosUhgp5mIg="},
	{CRC32C, 0xe3069283, "4waSgw=="},
	{CRC32, 0xcbf43926, "y/Q5Jg=="},
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
		if len(sum) != v.algorithm.size() {
			t.Errorf("%s: size() = %d, a digest has %d", v.algorithm, v.algorithm.size(), len(sum))
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

func TestUnknownAlgorithm(t *testing.T) {
	for _, a := range []Algorithm{"", "crc32", "XXHASH64"} {
		if h := a.New(); h != nil {
			t.Errorf("%q: New is not nil", a)
		}
		if a.Combines() {
			t.Errorf("%q: Combines", a)
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
	for _, a := range []Algorithm{SHA1, SHA256, SHA512, MD5} {
		b.Run(string(a), func(b *testing.B) {
			b.SetBytes(int64(len(p)))
			h := a.New()
			for b.Loop() {
				h.Write(p)
			}
		})
	}
}
