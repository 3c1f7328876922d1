package proof

import (
	"encoding/base64"
	"errors"
	"slices"
	"testing"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
)

var content = []byte("0123456789abcdef")

func want(a checksum.Algorithm) checksum.Stored {
	return checksum.Stored{Algorithm: a, Kind: checksum.Expected, Value: base64.StdEncoding.EncodeToString(digest(a, content))}
}

func digest(a checksum.Algorithm, p []byte) []byte {
	h := a.New()
	h.Write(p)
	return h.Sum(nil)
}

// add adds a range of p as a worker would have summed it.
func add(d *Demands, p []byte, offset, end int) {
	algorithms := d.Of(int64(offset), int64(end-offset))
	var sums [][]byte
	for _, a := range algorithms {
		sums = append(sums, digest(a, p[offset:end]))
	}
	d.Add(int64(offset), int64(end-offset), algorithms, sums)
}

func TestDemands(t *testing.T) {
	n := len(content)
	wrong := slices.Clone(content)
	wrong[3]++
	for name, c := range map[string]struct {
		add     func(d *Demands)
		missing []checksum.Algorithm
		bad     bool
	}{
		"one range":             {func(d *Demands) { add(d, content, 0, n) }, nil, false},
		"one wrong range":       {func(d *Demands) { add(d, wrong, 0, n) }, nil, true},
		"ranges":                {func(d *Demands) { add(d, content, 9, n); add(d, content, 0, 9) }, []checksum.Algorithm{checksum.SHA256}, false},
		"wrong ranges":          {func(d *Demands) { add(d, content, 9, n); add(d, wrong, 0, 9) }, []checksum.Algorithm{checksum.SHA256}, true},
		"a range is missing":    {func(d *Demands) { add(d, content, 0, 9) }, []checksum.Algorithm{checksum.SHA256, checksum.CRC32}, false},
		"nothing":               {func(d *Demands) {}, []checksum.Algorithm{checksum.SHA256, checksum.CRC32}, false},
		"a range fetched again": {func(d *Demands) { add(d, wrong, 0, 9); add(d, content, 9, n); add(d, content, 0, 9) }, []checksum.Algorithm{checksum.SHA256, checksum.CRC32}, false},
		"all fetched again":     {func(d *Demands) { add(d, wrong, 0, n); add(d, content, 0, n) }, []checksum.Algorithm{checksum.SHA256, checksum.CRC32}, false},
		"all again, in ranges":  {func(d *Demands) { add(d, wrong, 0, n); add(d, content, 0, 5); add(d, content, 5, n) }, []checksum.Algorithm{checksum.SHA256, checksum.CRC32}, false},
		"one range, ended early": {func(d *Demands) {
			d.Add(0, 7, []checksum.Algorithm{checksum.SHA256, checksum.CRC32}, [][]byte{nil, digest(checksum.CRC32, content[:7])})
			add(d, content, 7, n)
		}, []checksum.Algorithm{checksum.SHA256}, false},
	} {
		d := NewDemands([]checksum.Stored{want(checksum.SHA256), want(checksum.CRC32)}, int64(n))
		c.add(d)
		if got := d.Missing(); !slices.Equal(got, c.missing) {
			t.Errorf("%s: missing %v, want %v", name, got, c.missing)
		}
		if err := d.Check(); errors.Is(err, failure.ErrChecksumMismatch) != c.bad {
			t.Errorf("%s: got %v", name, err)
		}
		for _, p := range [][]byte{content, wrong} {
			var sums [][]byte
			for _, a := range []checksum.Algorithm{checksum.CRC32, checksum.SHA256} {
				sums = append(sums, digest(a, p))
			}
			d.Settle([]checksum.Algorithm{checksum.CRC32, checksum.SHA256}, sums)
			if err := d.Check(); errors.Is(err, failure.ErrChecksumMismatch) != (&p[0] == &wrong[0]) || len(d.Missing()) > 0 {
				t.Errorf("%s, read back: got %v, missing %v", name, err, d.Missing())
			}
		}
	}
}

// Digests of one algorithm are computed once. One that does not combine is not asked of a range.
func TestDemandsOf(t *testing.T) {
	etag := checksum.Stored{Algorithm: checksum.MD5, Kind: checksum.ETag, Value: "x"}
	d := NewDemands([]checksum.Stored{etag, want(checksum.MD5), want(checksum.CRC32C)}, 16)
	all, combine := []checksum.Algorithm{checksum.MD5, checksum.CRC32C}, []checksum.Algorithm{checksum.CRC32C}
	if got := d.Of(0, 16); !slices.Equal(got, all) {
		t.Errorf("of all: got %v, want %v", got, all)
	}
	for _, r := range [][2]int64{{0, 15}, {1, 15}, {0, 0}} {
		if got := d.Of(r[0], r[1]); !slices.Equal(got, combine) {
			t.Errorf("of %v: got %v, want %v", r, got, combine)
		}
	}
	if got := NewDemands([]checksum.Stored{want(checksum.MD5)}, -1).Of(0, -1); len(got) != 1 {
		t.Errorf("of an unknown size: got %v", got)
	}
	if got := d.String(); got != "MD5 ETag" {
		t.Errorf("got %q", got)
	}
	var none *Demands
	none.Add(0, 1, nil, nil)
	if none.Of(0, 1) != nil || none.Missing() != nil || none.Check() != nil || none.String() != "" || NewDemands(nil, 1) != nil {
		t.Error("no demands demand something")
	}
	empty := NewDemands([]checksum.Stored{{Algorithm: checksum.CRC32, Kind: checksum.Expected, Value: "AAAAAA=="}}, 0)
	empty.Add(0, 0, empty.Of(0, 0), [][]byte{make([]byte, 4)})
	if len(empty.Missing()) > 0 || empty.Check() != nil {
		t.Errorf("empty: missing %v, %v", empty.Missing(), empty.Check())
	}
}
