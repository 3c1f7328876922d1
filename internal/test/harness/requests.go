package harness

import (
	"fmt"
	"slices"
	"testing"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Requests returns the requests so far with this method.
func Requests(origin *s3test.Server, method string) []s3test.Request {
	var got []s3test.Request
	for _, r := range origin.Requests() {
		if r.Method == method {
			got = append(got, r)
		}
	}
	return got
}

// WantRanges compares the Range headers of all GETs so far with want, in any order.
func WantRanges(t *testing.T, origin *s3test.Server, want ...string) {
	t.Helper()
	var got []string
	for _, r := range Requests(origin, "GET") {
		got = append(got, r.Range)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("ranges: got %q, want %q", got, want)
	}
}

// Fetched returns how many bytes the Range headers of all GETs so far asked for.
func Fetched(origin *s3test.Server) (n int64) {
	for _, r := range Requests(origin, "GET") {
		var first, last int64
		if c, _ := fmt.Sscanf(r.Range, "bytes=%d-%d", &first, &last); c == 2 {
			n += last - first + 1
		}
	}
	return n
}

// Covers reports whether a Range header "bytes=a-b" asks for the byte at offset.
func Covers(header string, offset int64) bool {
	var first, last int64
	n, _ := fmt.Sscanf(header, "bytes=%d-%d", &first, &last)
	return n == 2 && first <= offset && offset <= last
}

// IsList reports whether r asks for a page of a listing.
func IsList(r s3test.Request) bool { return r.Query.Get("list-type") == "2" }
