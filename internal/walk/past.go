package walk

import (
	"fmt"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// maxEmpty is how many pages in a row may tell of no key. S3 sends a few where many keys are
// deleted.
const maxEmpty = 10_000

// past finds a listing that does not end, in memory that does not grow: one whose tokens repeat, and
// one that has pages and no keys. Keys that do not ascend are no sign of it: directory buckets list
// in no order
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html).
//
// It remembers one token, and takes the present one instead after 1, 2, 4, 8, ... pages. Tokens that
// repeat with a period of n come to a remembered one after a few n pages (R. P. Brent, An improved
// Monte Carlo factorization algorithm, 1980, section 3).
type past struct {
	token string
	age   int // pages since the token was remembered
	most  int // age at which another is
	empty int // pages in a row without a key
}

// add notes a page. The error says that the listing does not end.
func (p *past) add(page *ipc.Page) error {
	if page.Next == "" {
		return nil
	}
	if page.Next == p.token {
		return fmt.Errorf("%w: ListObjectsV2 does not end: it returned a token again", failure.ErrUnexpected)
	}
	if p.empty++; len(page.Entries) > 0 || page.Prefixes > 0 {
		p.empty = 0
	}
	if p.empty >= maxEmpty {
		return fmt.Errorf("%w: ListObjectsV2 does not end: it returned %d pages without a key", failure.ErrUnexpected, p.empty)
	}
	if p.age++; p.age > p.most {
		p.token, p.age, p.most = page.Next, 0, 2*p.most+1
	}
	return nil
}
