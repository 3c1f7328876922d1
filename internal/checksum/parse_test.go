package checksum

import (
	"strconv"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		algorithm  Algorithm
		typ, value string
		want       Stored // zero: not ok
	}{
		{CRC32, "FULL_OBJECT", "y/Q5Jg==", Stored{CRC32, FullObject, "y/Q5Jg==", 0}},
		{CRC32, "", "y/Q5Jg==", Stored{CRC32, FullObject, "y/Q5Jg==", 0}},
		{CRC32, "", "y/Q5Jg==-7", Stored{CRC32, Composite, "y/Q5Jg==", 7}},
		{CRC32, "COMPOSITE", "y/Q5Jg==-10000", Stored{CRC32, Composite, "y/Q5Jg==", 10000}},
		{CRC32, "COMPOSITE", "y/Q5Jg==", Stored{CRC32, Composite, "y/Q5Jg==", 0}},
		{CRC32, "FULL_OBJECT", "y/Q5Jg==-7", Stored{}},
		{CRC32, "FULL_OBJECT", "y/Q5Jg==-0", Stored{}},
		{CRC32, "full_object", "y/Q5Jg==", Stored{}},
		{CRC32, "ETAG", "y/Q5Jg==", Stored{}},
		{CRC32, "", "", Stored{}},
		{CRC32, "", "-", Stored{}},
		{CRC32, "", "-7", Stored{}},
		{CRC32, "", "y/Q5Jg==-", Stored{}},
		{CRC32, "", "y/Q5Jg==-0", Stored{}},
		{CRC32, "", "y/Q5Jg==--7", Stored{}},
		{CRC32, "", "y/Q5Jg==-+7", Stored{}},
		{CRC32, "", "y/Q5Jg==-07", Stored{}},
		{CRC32, "", "y/Q5Jg==-7x", Stored{}},
		{CRC32, "", "y/Q5Jg==-7-7", Stored{}},
		{CRC32, "", "y/Q5Jg==-9999999999", Stored{}},
		{CRC32, "", "y/Q5Jg", Stored{}},       // no padding
		{CRC32, "", "y_Q5Jg==", Stored{}},     // base64url
		{CRC32, "", "y/Q5Jh==", Stored{}},     // stray bits after the last byte
		{CRC32, "", "y/Q5\nJg=", Stored{}},    // line breaks
		{CRC32, "", "y/Q5\r\nJg==", Stored{}}, //
		{CRC32, "", " y/Q5Jg==", Stored{}},
		{CRC32, "", "y/Q5Jv8=", Stored{}}, // 5 bytes
		{CRC32, "", "y/Q5", Stored{}},     // 3 bytes
		{CRC32, "", "rosUhgp5mIg=", Stored{}},
		{CRC64NVME, "", "y/Q5Jg==", Stored{}},
		{"", "", "", Stored{}},
		{"XXHASH32", "FULL_OBJECT", "rosUhgp5mIg=", Stored{}},
	} {
		got, ok := Parse(test.algorithm, test.typ, test.value)
		if got != test.want || ok != (test.want != Stored{}) {
			t.Errorf("Parse(%s, %q, %q) = %+v, %t, want %+v", test.algorithm, test.typ, test.value, got, ok, test.want)
		}
	}
}

func TestParseETag(t *testing.T) {
	const md5 = "25f9e794323b453885f5181f1b624d0b"
	for etag, want := range map[string]Stored{
		`"` + md5 + `"`:                  {MD5, ETag, md5, 0},
		`"` + strings.ToUpper(md5) + `"`: {MD5, ETag, md5, 0},
		`"` + md5 + `-1"`:                {MD5, ETag, md5, 1},
		`"` + md5 + `-7"`:                {MD5, ETag, md5, 7},
		md5:                              {},
		`"` + md5:                        {},
		md5 + `"`:                        {},
		`W/"` + md5 + `"`:                {},
		`"` + md5[1:] + `"`:              {},
		`"` + md5 + `0"`:                 {},
		`"` + md5[1:] + `g"`:             {},
		`"` + md5 + `-"`:                 {},
		`"` + md5 + `-0"`:                {},
		`"` + md5 + `-01"`:               {},
		`"` + md5 + `" `:                 {},
		`'` + md5 + `"`:                  {},
		`"` + md5 + `'`:                  {},
		`""`:                             {},
		`"`:                              {},
		``:                               {},
	} {
		got, ok := ParseETag(etag)
		if got != want || ok != (want != Stored{}) {
			t.Errorf("ParseETag(%s) = %+v, %t, want %+v", etag, got, ok, want)
		}
	}
}

// FuzzParse checks that a value that parses has one spelling: formatting it again gives the input.
func FuzzParse(f *testing.F) {
	for _, v := range vectors {
		f.Add(string(v.algorithm), "", v.value)
	}
	for _, v := range composites {
		f.Add(string(v.algorithm), "COMPOSITE", v.value+"-3")
	}
	f.Add("", "", etagParts)
	f.Fuzz(func(t *testing.T, algorithm, typ, value string) {
		if s, ok := Parse(Algorithm(algorithm), typ, value); ok {
			if got := written(s); got != value {
				t.Errorf("read %q, wrote %q", value, got)
			}
			if s.Kind != FullObject && s.Kind != Composite || typ != "" && typ != string(s.Kind) {
				t.Errorf("type %q became %q", typ, s.Kind)
			}
			if s.Kind == FullObject && s.Parts != 0 {
				t.Errorf("a full object of %d parts", s.Parts)
			}
		} else if s != (Stored{}) {
			t.Errorf("not ok, and %+v", s)
		}
		if s, ok := ParseETag(value); ok {
			if got := `"` + written(s) + `"`; got != strings.ToLower(value) {
				t.Errorf("read %q, wrote %q", value, got)
			}
		}
	})
}

func written(s Stored) string {
	if s.Parts > 0 {
		return s.Value + "-" + strconv.Itoa(s.Parts)
	}
	return s.Value
}
