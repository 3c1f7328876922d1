//go:build linux

package chaos

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// gatewayPage is what a gateway answers, which knows nothing of S3.
const gatewayPage = "<html>\n<head><title>502 Bad Gateway</title></head>\n<body><hr>gateway<br></body>\n</html>\n"

// strange are answers that look like answers of S3 and cannot be trusted, or that come from another
// server. If they pass, the download succeeds.
var strange = []*kind{
	{name: "size 0", head: true, costs: true, bend: header("Content-Length", "0")},
	{name: "no size", head: true, bend: header("Content-Length", "")},
	{name: "bare 403", head: true, costs: true, bend: func(f *s3test.Fault, _ int64) { f.Status = 403 }},
	{name: "bare 404", head: true, costs: true, bend: func(f *s3test.Fault, _ int64) { f.Status = 404 }},
	{name: "another version", costs: true, bend: header("X-Amz-Version-Id", "another")},
	{name: "no Content-Range", costs: true, bend: header("Content-Range", "")},
	gateway, tooMany, tooManyLater, partless,
}

var (
	gateway = &kind{name: "a gateway's page", costs: true, bend: func(f *s3test.Fault, _ int64) {
		body := gatewayPage
		f.Status, f.Body = 502, &body
	}}
	tooMany      = &kind{name: "429", costs: true, bend: func(f *s3test.Fault, _ int64) { f.Status = 429 }}
	tooManyLater = &kind{name: "429 with Retry-After", costs: true, bend: func(f *s3test.Fault, _ int64) {
		f.Status, f.RetryAfter = 429, "1"
	}}
	// inject sets the body.
	partless = &kind{name: "no parts in the attributes", parts: true}
)

// trouble draws outages, answers that cannot be trusted, and file systems that lack calls.
func (p *plan) trouble(d dice) {
	if d.chance(20) {
		p.outage = p.drawOutage(d)
	}
	for _, t := range p.transfers {
		if d.chance(35) && !t.finished() {
			t.orders = append(t.orders, p.drawStrange(d, t))
		}
		if t.present == "a file" && d.chance(30) {
			t.mode = pick(d, []fs.FileMode{0o444, 0o600, 0o666, 0o755})
		}
		if d.chance(20) {
			t.odd = p.drawOddity(d)
		}
	}
	if p.tree == nil && d.chance(10) {
		p.tree = p.newTree(d)
	}
	if p.tree != nil && d.chance(70) {
		p.tree.orders = append(p.tree.orders, p.drawListed(d))
	}
}

func (p *plan) drawStrange(d dice, t *transfer) *order {
	k := pick(d, strange)
	if d.chance(15) && t.object.parts != nil {
		k = partless
	}
	o := &order{kind: k, method: "GET", times: 1 + d.IntN(2)}
	switch {
	case k.parts:
	case k.head || d.chance(40):
		o.method = "HEAD"
	default:
		o.skip = d.IntN(min(p.gets(t), 8))
	}
	if o.method == "HEAD" && k.name == "no Content-Range" {
		o.method = "GET" // an answer to HEAD has none
	}
	if d.chance(25) && p.endless(k) {
		o.times = 0
	}
	return o
}

// endless reports whether an answer may be given for ever. With RetryTimeout, one that may be that
// of an outage would take the rest of it.
func (p *plan) endless(k *kind) bool {
	return p.outage == nil || k != gateway && k != tooMany && k != tooManyLater
}

// finished reports whether a fault ends the download: other requests than the planned one may meet
// it after a strange answer, which then explains other errors.
func (t *transfer) finished() bool {
	return slices.ContainsFunc(t.orders, func(o *order) bool { return slices.Contains(final, o.kind) })
}

// asksAgain reports whether there were requests besides HeadObject and the ranges, which used up
// other faults: after a strange answer, and to confirm that an object is empty.
func (t *transfer) asksAgain() bool {
	return t.object.size == 0 || slices.ContainsFunc(t.struck, func(o *order) bool { return slices.Contains(strange, o.kind) })
}

// partless reports whether no answer lists the parts.
func (t *transfer) partless() bool {
	return slices.ContainsFunc(t.orders, func(o *order) bool { return o.kind == partless && o.times == 0 })
}

// listed are strange answers to a listing.
var listed = []*kind{
	{name: "an empty listing", costs: true, page: func(*tree, int64) string { return "" }},
	{name: "a listing without IsTruncated", costs: true, page: func(t *tree, at int64) string {
		return listing(t.entries(func(n int) (int64, bool) { return t.sizes[n], true }, int(at)%(len(t.sizes)+1)))
	}},
	contradiction,
}

// contradiction lists other sizes than the objects have. Without ETags, the objects may have been
// overwritten since then.
var contradiction = &kind{name: "a listing of other sizes", ends: is(failure.ErrUnexpected), page: func(t *tree, at int64) string {
	return listing("<IsTruncated>false</IsTruncated>" +
		t.entries(func(n int) (int64, bool) { return t.other(n, at), at%2 == 0 }, len(t.sizes)))
}}

// otherLength are answers to a GetObject with another length than the listing told.
var otherLength = []*kind{
	{name: "0 bytes, not as listed", bend: header("Content-Length", "0"),
		ends: is(failure.ErrUnexpected, processpool.ErrObjectChanged, processpool.ErrChecksumMismatch)},
	{name: "a byte more than listed", bend: func(f *s3test.Fault, _ int64) { f.ExtraBytes = 1 },
		ends: is(failure.ErrUnexpected, processpool.ErrObjectChanged, processpool.ErrChecksumMismatch)},
}

// drawListed draws a strange answer to a tree's requests.
func (p *plan) drawListed(d dice) *order {
	var k *kind
	switch n := d.IntN(10); {
	case n < 5:
		k = pick(d, listed)
	case n < 7:
		k = pick(d, otherLength)
		if p.tokens {
			k = otherLength[1] // the other would remove the error code from S3's response
		}
	default:
		k = pick(d, strange[:len(strange)-1])
	}
	o := &order{kind: k, times: 1 + d.IntN(2), at: d.Int64N(1000)}
	switch {
	case k.page != nil:
	case k.head:
		o.method = "HEAD"
	case slices.Contains(otherLength, k):
		o.method = "GET"
	}
	if d.chance(25) && p.endless(k) {
		o.times = 0
	}
	return o
}

// other returns the size that a contradicting listing tells of the n-th object.
func (t *tree) other(n int, at int64) int64 {
	switch (int64(n) + at/2) % 3 {
	case 0:
		return 0
	case 1:
		return t.sizes[n] + 1
	}
	return t.sizes[n]
}

// contradicts reports whether an answer to a listing contradicted the objects.
func (t *tree) contradicts() bool {
	for _, o := range t.orders {
		if o.kind != contradiction || o.fault.Hits() == 0 || o.at%2 != 0 {
			continue
		}
		for n, size := range t.sizes {
			if t.other(n, o.at) != size {
				return true
			}
		}
	}
	return false
}

// entries returns the first count objects as a listing does, with the size of each that tell
// returns, and with its ETag if that returns true.
func (t *tree) entries(tell func(n int) (size int64, etag bool), count int) string {
	var b strings.Builder
	for n := range count {
		size, withETag := tell(n)
		etag := ""
		if withETag {
			etag = "<ETag>" + t.versions[t.file(n)].etag + "</ETag>"
		}
		fmt.Fprintf(&b, "<Contents><Key>%s</Key><Size>%d</Size>%s</Contents>", root+t.file(n), size, etag)
	}
	return b.String()
}

func listing(content string) string { return "<ListBucketResult>" + content + "</ListBucketResult>" }

// file returns the name of the n-th object below the tree.
func (t *tree) file(n int) string { return fmt.Sprintf("%d/%d", n%3, n) }
