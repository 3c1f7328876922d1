package faults_test

import (
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// One range fails after others have been written.
func TestFaultInMidTransfer(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	d := harness.NewDownloader(t, origin, harness.Multipart(2, 2), harness.Processes(1))
	for _, c := range []struct {
		name string
		bend s3test.Fault
		want func(error) bool // nil: success
	}{
		{"403", s3test.Fault{Status: 403}, isStatus(403)},
		{"416", s3test.Fault{Status: 416}, isError(processpool.ErrObjectChanged)},
		{"wrong ETag", s3test.Fault{Header: map[string]string{"ETag": `"other"`}}, isError(processpool.ErrObjectChanged)},
		{"deleted", s3test.Fault{Do: func(s *s3test.Server, _ s3test.Request) { s.Delete("b", "k") }}, harness.Is[*types.NoSuchKey]},
		{"redirect", s3test.Fault{Redirect: "eu-west-1"}, nil},
		{"SlowDown", s3test.Fault{Status: 503}, nil},
		{"reset", s3test.Fault{Cut: true, Reset: true, CutAfter: 1}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			origin.Put("b", "k", harness.Content)
			c.bend.Range, c.bend.Times = "bytes=4-5", 1
			fault := origin.Inject(c.bend)
			err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
			if fault.Hits() != 1 {
				t.Errorf("the fault struck %d times, want once", fault.Hits())
			}
			if c.want != nil {
				harness.WantError(t, err)
				if !c.want(err) {
					t.Errorf("got %v", err)
				}
				leak.Files(t, dir)
			} else {
				if err != nil {
					t.Error(err)
				}
				harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
				leak.Files(t, dir, "file")
			}
			harness.WantNext(t, origin, d)
		})
	}
}

// A burst of SlowDown is retried until it passes, although each range meets it.
func TestFaultSlowDownBurst(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	burst := origin.Inject(s3test.Fault{Method: "GET", Times: 4, Status: 503, Match: func(r s3test.Request) bool { return r.Seq%2 == 0 }})
	d := harness.NewDownloader(t, origin, harness.Multipart(2, 2))
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Error(err)
	}
	if n := burst.Hits(); n == 0 {
		t.Error("nothing was slowed down")
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
	leak.Files(t, dir, "file")
}
