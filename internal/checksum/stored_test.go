package checksum

import (
	"testing"
)

// composites are S3's values for an object uploaded as the parts "123", "456" and "789".
var composites = []struct {
	algorithm Algorithm
	value     string
}{
	{CRC32, "BECcDQ=="},
	{CRC32C, "H671jA=="},
	{SHA1, "onTAKpTg0M04YZ2i5sHWAWmI+LI="},
	{SHA256, "DXduU8OsAkHkQnkyXwW2tfKgCSg3VM7xizQXKsRzmqw="},
	{SHA512, "9oDhIT54zN5L8NBZBpo2VgYISNcsOHwvXQE4MX0Mkkr6znzWRGfuS1YRiqmg7JUFBEIoPGeLpKtfvz3pgGwPhA=="},
}

const (
	etagWhole  = `"25f9e794323b453885f5181f1b624d0b"`
	etagParts  = `"a8dd1c5498a84913e3d6e7b59d4b4f8f-3"`
	etagSingle = `"5927c5d64d94a5786f90003aa26d0159-1"`
)

func digests(a Algorithm, parts ...string) (sums [][]byte) {
	for _, part := range parts {
		h := a.New()
		h.Write([]byte(part))
		sums = append(sums, h.Sum(nil))
	}
	return sums
}

func TestMatchFullObject(t *testing.T) {
	for _, v := range vectors {
		s, ok := Parse(v.algorithm, "FULL_OBJECT", v.value)
		if !ok {
			t.Errorf("%s: not parsed", v.algorithm)
			continue
		}
		if got, want := s.MatchCRC(v.crc), v.crc != 0; got != want {
			t.Errorf("%s: MatchCRC = %t, want %t", v.algorithm, got, want)
		}
		if s.MatchCRC(v.crc ^ 1) {
			t.Errorf("%s: MatchCRC of another", v.algorithm)
		}
		sum := digests(v.algorithm, "123456789")
		if !s.MatchDigest(sum[0]) {
			t.Errorf("%s: no MatchDigest", v.algorithm)
		}
		if s.MatchDigest(digests(v.algorithm, "12345678")[0]) || s.MatchDigest(nil) || s.MatchDigest(sum[0][1:]) {
			t.Errorf("%s: MatchDigest of another", v.algorithm)
		}
		if s.MatchParts(sum) {
			t.Errorf("%s: a full object matches parts", v.algorithm)
		}
	}
}

func TestMatchComposite(t *testing.T) {
	for _, v := range composites {
		for _, suffix := range []string{"-3", ""} {
			s, ok := Parse(v.algorithm, "COMPOSITE", v.value+suffix)
			if !ok {
				t.Errorf("%s: not parsed", v.algorithm)
				continue
			}
			parts := digests(v.algorithm, "123", "456", "789")
			if !s.MatchParts(parts) {
				t.Errorf("%s%s: no match", v.algorithm, suffix)
			}
			for name, other := range map[string][][]byte{
				"none":      nil,
				"two":       parts[:2],
				"order":     {parts[1], parts[0], parts[2]},
				"flattened": {append(append(append([]byte{}, parts[0]...), parts[1]...), parts[2]...)},
				"other":     digests(v.algorithm, "12", "3456", "789"),
			} {
				if s.MatchParts(other) {
					t.Errorf("%s%s: %s matches", v.algorithm, suffix, name)
				}
			}
			if s.MatchDigest(digests(v.algorithm, "123456789")[0]) || v.algorithm.Combines() && s.MatchCRC(0) {
				t.Errorf("%s: a composite matches a full object", v.algorithm)
			}
		}
		s, ok := Parse(v.algorithm, "COMPOSITE", v.value+"-4")
		if !ok || s.MatchParts(digests(v.algorithm, "123", "456", "789")) {
			t.Errorf("%s: three parts match four", v.algorithm)
		}
	}
}

func TestMatchETag(t *testing.T) {
	whole := digests(MD5, "123456789")
	parts := digests(MD5, "123", "456", "789")
	for _, test := range []struct {
		etag                  string
		digest, single, parts bool
	}{
		{etagWhole, true, false, false},
		{`"25F9E794323B453885F5181F1B624D0B"`, true, false, false},
		{etagSingle, false, true, false},
		{etagParts, false, false, true},
		{`"a8dd1c5498a84913e3d6e7b59d4b4f8f-2"`, false, false, false},
		{`"a8dd1c5498a84913e3d6e7b59d4b4f8f"`, false, false, false},
	} {
		s, ok := ParseETag(test.etag)
		if !ok {
			t.Errorf("%s: not parsed", test.etag)
			continue
		}
		if got := s.MatchDigest(whole[0]); got != test.digest {
			t.Errorf("%s: MatchDigest = %t, want %t", test.etag, got, test.digest)
		}
		if got := s.MatchParts(whole); got != test.single {
			t.Errorf("%s: MatchParts of one = %t, want %t", test.etag, got, test.single)
		}
		if got := s.MatchParts(parts); got != test.parts {
			t.Errorf("%s: MatchParts of three = %t, want %t", test.etag, got, test.parts)
		}
	}
}

// TestMatchKind gives each kind the correct digest of another kind.
func TestMatchKind(t *testing.T) {
	whole := digests(MD5, "123456789")
	for _, s := range []Stored{
		{MD5, Composite, "JfnnlDI7RTiF9RgfG2JNCw==", 0},
		{MD5, Composite, "JfnnlDI7RTiF9RgfG2JNCw==", 1},
		{MD5, ETag, "25f9e794323b453885f5181f1b624d0b", 1},
		{MD5, ETag, "JfnnlDI7RTiF9RgfG2JNCw==", 0},
		{MD5, FullObject, "25f9e794323b453885f5181f1b624d0b", 0},
	} {
		if s.MatchDigest(whole[0]) {
			t.Errorf("%+v matches the digest of the bytes", s)
		}
	}
	for _, s := range []Stored{
		{MD5, FullObject, "WSfF1k2UpXhvkAA6om0BWQ==", 0},
		{MD5, ETag, "5927c5d64d94a5786f90003aa26d0159", 0},
	} {
		if s.MatchParts(whole) {
			t.Errorf("%+v matches the digest of the parts", s)
		}
	}
}

func TestMatchNothing(t *testing.T) {
	for _, s := range []Stored{
		{},
		{Kind: FullObject},
		{Kind: Composite},
		{Kind: ETag},
		{Algorithm: "XXHASH32", Kind: Composite, Parts: 1},
		{MD5, Composite, "1B2M2Y8AsgTpgAmY7PhCfg==", 0}, // the MD5 of no bytes
		{MD5, FullObject, "", 0},
	} {
		if s.MatchCRC(0) || s.MatchDigest(nil) || s.MatchDigest([]byte{}) || s.MatchParts(nil) || s.MatchParts([][]byte{nil}) {
			t.Errorf("%+v matches", s)
		}
	}
}

func TestStoredString(t *testing.T) {
	for want, s := range map[string]Stored{
		"CRC64NVME full object":       {Algorithm: CRC64NVME, Kind: FullObject},
		"SHA256 composite of 7 parts": {Algorithm: SHA256, Kind: Composite, Parts: 7},
		"SHA256 composite":            {Algorithm: SHA256, Kind: Composite},
		"MD5 ETag":                    {Algorithm: MD5, Kind: ETag},
		"MD5 ETag of 7 parts":         {Algorithm: MD5, Kind: ETag, Parts: 7},
		"MD5 ETag of 1 part":          {Algorithm: MD5, Kind: ETag, Parts: 1},
	} {
		if got := s.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
