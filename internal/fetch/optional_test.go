package fetch_test

import (
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// TestOptionalQuestions: a server that fails at whatever is optional costs MaxAttempts of each
// question, and no RetryTimeout.
func TestOptionalQuestions(t *testing.T) {
	leak.Check(t)
	for _, status := range []int{500, 503} {
		origin := startOrigin(t)
		origin.Put("b", "k", s3test.PatternBytes(1, 100), s3test.WithParts(30, 70), s3test.WithChecksum("sha256", "COMPOSITE"))
		isOptional := func(r s3test.Request) bool { return r.PartNumber != "" || r.Query.Has("attributes") }
		origin.Inject(s3test.Fault{Status: status, Match: isOptional})
		c := newClient(t, origin, attempts(3), func(s *settings.Settings) {
			s.RetryTimeout, s.Hurry = 24*60*60*1e9, 1000 // a day in 86 s
		})
		job := &ipc.Job{Bucket: "b", Key: "k", Args: ipc.Args{ChecksumMode: "ENABLED"}, Head: &ipc.Head{Layout: true}}
		head, err := c.Head(t.Context(), job, nil)
		if err != nil || head.Object.Layout.Known() {
			t.Errorf("status=%d: got %+v, %v, want an object without a layout", status, head, err)
		}
		wantCount(t, origin, 1+3+3)
		job.Head, job.Parts = nil, &ipc.Parts{ETag: head.Object.ETag, Size: head.Object.Size}
		if _, err := c.Parts(t.Context(), job, nil); err == nil || !strings.Contains(err.Error(), "after 3 attempts without") {
			t.Errorf("status=%d: got %v", status, err)
		}
		wantCount(t, origin, 1+3+3+3+3)
	}
}
