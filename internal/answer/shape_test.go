package answer

import (
	"fmt"
	"strings"
	"testing"
)

// A large page of ordinary keys is read as a small one is. One of a shape that no listing has costs
// more memory than bytes, and is refused.
func TestShape(t *testing.T) {
	const first, last = "<ListBucketResult><IsTruncated>false</IsTruncated>", "</ListBucketResult>"
	for _, c := range []struct {
		name, entry, want string
		count             int
	}{
		{"50,000 keys", "<Contents><Key>0123456789</Key><Size>1</Size><ETag>e</ETag></Contents>", "", 50_000},
		{"too many keys", "<Contents><Key>0123456789</Key><Size>1</Size></Contents>", "more than 250000 entries", maxChildren},
		{"in capitals", "<CONTENTS/>", "more than 250000 entries", 300_000},
		{"prefixes", "<CommonPrefixes/>", "more than 250000 entries", 300_000},
		{"nested", "<a>", "nested too deep", 500_000},
		{"nested, with comments", "<a><!--</a>-->", "nested too deep", 100_000},
		{"a long text", "k", "has more than 1 MiB", 2_200_000},
		{"a syntax error", "<a></a><<", "XML syntax error", 200_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			page, err := list(ok(first+strings.Repeat(c.entry, c.count)+last), asked())
			if c.want != "" {
				wantUntrusted(t, err, c.want)
			} else if err != nil || len(page.Entries) != c.count {
				t.Errorf("got %v, want %d entries", err, c.count)
			}
		})
	}
	whole := fmt.Sprint(first, strings.Repeat("<Contents><Key>k</Key><Size>1</Size></Contents>", 30_000))
	_, err := list(ok(whole, "Content-Length: 100000000"), asked())
	if !interrupted(err) {
		t.Errorf("a body that broke off: got %v", err)
	}
}
