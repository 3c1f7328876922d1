package answer

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/failure"
)

func TestContentRange(t *testing.T) {
	for s, want := range map[string]Range{
		"bytes 0-0/1":       {0, 0, 1},
		"bytes 0-9/10":      {0, 9, 10},
		"bytes 3-5/10":      {3, 5, 10},
		"bytes 3-5/*":       {3, 5, -1},
		"BYTES 3-5/10":      {3, 5, 10}, // a range unit is case-insensitive
		"bytes 00-09/0010":  {0, 9, 10},
		"bytes 1-2/5000000": {1, 2, 5000000},
		fmt.Sprintf("bytes 0-%d/%d", math.MaxInt64-1, math.MaxInt64): {0, math.MaxInt64 - 1, math.MaxInt64},
	} {
		if got, err := parseContentRange(s); err != nil || got != want {
			t.Errorf("%q: got %+v, %v, want %+v", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", "bytes", "bytes ", "bytes 3-5", "bytes 3/10", "bytes -5/10", "bytes 3-/10", "bytes 3-5/", "bytes */10", "bytes */*",
		"bytes=3-5/10", "bytes: 3-5/10", "octets 3-5/10", "3-5/10", " bytes 3-5/10", "bytes  3-5/10", "bytes 3-5/10 ",
		"bytes 3 - 5/10", "bytes 3-5 /10", "bytes +3-5/10", "bytes 3-+5/10", "bytes 3-5/+10", "bytes -3-5/10", "bytes 3--5/10",
		"bytes 5-3/10", "bytes 3-5/5", "bytes 3-10/10", "bytes 0-0/0", "bytes 3-5/-1", "bytes 3-5/10/20", "bytes 3-5-7/10",
		"bytes 0x3-5/10", "bytes 3-5/1e3", "bytes 3_0-50/100", "bytes 9223372036854775808-9223372036854775809/*",
		"bytes 3-9223372036854775808/*", "bytes 3-5/9223372036854775808", "bytes 3-5,7-9/10", "bytes 3-5/10\n",
	} {
		if got, err := parseContentRange(s); !errors.Is(err, failure.ErrUnexpected) || got != (Range{}) {
			t.Errorf("%q: got %+v, %v, want ErrUnexpected", s, got, err)
		}
	}
}

// FuzzContentRange: what parses is a range, and parses to the same range when it is formatted
// again.
func FuzzContentRange(f *testing.F) {
	for _, s := range []string{"bytes 0-0/1", "bytes 3-5/*", "bytes 5-3/10", "bytes 3-5/9223372036854775808", "bytes +3-5/10", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := parseContentRange(s)
		if err != nil {
			if !errors.Is(err, failure.ErrUnexpected) || r != (Range{}) {
				t.Fatalf("got %+v, %v", r, err)
			}
			return
		}
		if r.First < 0 || r.Last < r.First || r.Total < -1 || r.Total >= 0 && r.Last >= r.Total {
			t.Fatalf("got %+v", r)
		}
		total := fmt.Sprint(r.Total)
		if r.Total < 0 {
			total = "*"
		}
		again := fmt.Sprintf("bytes %d-%d/%s", r.First, r.Last, total)
		if got, err := parseContentRange(again); err != nil || got != r {
			t.Fatalf("%q: got %+v, %v, want %+v", again, got, err, r)
		}
		if strings.ContainsAny(s[len("bytes "):], " +") {
			t.Fatalf("%q was taken for a range", s)
		}
	})
}

func TestSameETag(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`"a"`, `"a"`, true}, {`"a"`, `a`, true}, {`W/"a"`, `"a"`, true}, {`W/"a"`, `W/"a"`, true},
		{`"a"`, `"b"`, false}, {`"a"`, `"A"`, false}, {`"a"`, `"a-1"`, false}, {`"a"`, `""`, false},
	} {
		if SameETag(c.a, c.b) != c.want || SameETag(c.b, c.a) != c.want {
			t.Errorf("%s, %s: got %v, want %v", c.a, c.b, !c.want, c.want)
		}
	}
}
