package checksum

import (
	"bytes"
	"testing"
)

// Further checksums are those of the same bytes, whatever the first two are of.
func TestSumsAlso(t *testing.T) {
	p := []byte("123456789")
	also := []Algorithm{SHA256, CRC32, XXHASH128, CRC64NVME}
	for _, first := range []struct{ proof, record Algorithm }{
		{"", ""}, {SHA256, ""}, {CRC32, CRC64NVME}, {CRC32C, CRC32}, {MD5, CRC64NVME}, {CRC64NVME, CRC64NVME},
	} {
		s := NewSums(first.proof, first.record, also...)
		s.Write([]byte("other bytes"))
		s.Reset()
		s.Write(p[:4])
		s.Write(p[4:])
		for _, digests := range []bool{false, true} {
			got := s.Also(digests)
			for i, a := range also {
				h := a.New()
				h.Write(p)
				want := h.Sum(nil)
				if !digests && !a.Combines() {
					want = nil
				}
				if !bytes.Equal(got[i], want) {
					t.Errorf("beside %v, digests %t: %s is %x, want %x", first, digests, a, got[i], want)
				}
			}
		}
	}
	if got := NewSums(CRC32, "").Also(true); got != nil {
		t.Errorf("got %v where none was asked for", got)
	}
}

func TestCRC(t *testing.T) {
	for _, v := range vectors {
		if !v.algorithm.Combines() {
			if _, ok := v.algorithm.CRC(make([]byte, v.algorithm.Size())); ok {
				t.Errorf("%s has a CRC", v.algorithm)
			}
			continue
		}
		if crc, ok := v.algorithm.CRC(v.algorithm.Bytes(v.crc)); !ok || crc != v.crc {
			t.Errorf("%s: got %x, %t, want %x", v.algorithm, crc, ok, v.crc)
		}
		if _, ok := v.algorithm.CRC(make([]byte, v.algorithm.Size()-1)); ok {
			t.Errorf("%s: a byte is missing, and it is a CRC", v.algorithm)
		}
	}
}

func TestExpect(t *testing.T) {
	const md5, sha1 = "JfnnlDI7RTiF9RgfG2JNCw==", "98O8HYCOBHMq32eZZczDTKeuNEE="
	for _, c := range []struct {
		given  []Digest
		want   int
		faults []string
	}{
		{nil, 0, nil},
		{[]Digest{{MD5, md5}, {SHA1, sha1}}, 2, nil},
		{[]Digest{{MD5, md5}, {MD5, md5}}, 1, nil},
		{[]Digest{{MD5, md5}, {MD5, "1B2M2Y8AsgTpgAmY7PhCfg=="}}, 1, []string{"there are two values of MD5, " + md5 + " and 1B2M2Y8AsgTpgAmY7PhCfg=="}},
		{[]Digest{{"", md5}, {"md5", md5}}, 0, []string{`"" is no checksum algorithm of S3`, `"md5" is no checksum algorithm of S3`}},
		{[]Digest{{SHA1, md5}, {MD5, md5 + "-2"}, {MD5, ""}, {MD5, "25f9e794323b453885f5181f1b624d0b"}}, 0, []string{
			`"` + md5 + `" is not the base64 of the 20 bytes of a SHA1`, `"` + md5 + `-2" is not the base64 of the 16 bytes of a MD5`,
			`"" is not the base64 of the 16 bytes of a MD5`, `"25f9e794323b453885f5181f1b624d0b" is not the base64 of the 16 bytes of a MD5`,
		}},
	} {
		got, faults := Expect(c.given)
		if len(got) != c.want || len(faults) != len(c.faults) {
			t.Errorf("%v: got %v, %v, want %d and %q", c.given, got, faults, c.want, c.faults)
			continue
		}
		for i, err := range faults {
			if err.Error() != c.faults[i] {
				t.Errorf("%v: got %q, want %q", c.given, err, c.faults[i])
			}
		}
	}
}
