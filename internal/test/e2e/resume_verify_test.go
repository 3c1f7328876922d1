package e2e_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Everything that S3 may keep of an object proves a resumed one as it does any other.
func TestResumeVerifies(t *testing.T) {
	content := s3test.PatternBytes(11, 1_000_001)
	for _, test := range stored {
		t.Run(test.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", content, test.put...)
			name := filepath.Join(dir, "file")
			d := harness.NewDownloader(t, origin, harness.Multipart(100_000, 100_000), harness.Processes(2))
			// The end never arrives, and all else does.
			stuck := origin.Inject(s3test.Fault{Method: "GET", Gate: make(chan struct{}), Match: func(r s3test.Request) bool {
				return harness.Covers(r.Range, 1_000_000)
			}})
			f := d.DownloadFile(t.Context(), "b", "k", name, harness.Resume)
			for deadline := time.Now().Add(harness.Patience); stuck.Hits() == 0 || f.Progress().BytesDone < lastRange(origin); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("not all but the last range has arrived: %+v", f.Progress())
				}
			}
			f.Cancel()
			harness.WantError(t, harness.Result(t, f), processpool.ErrCanceled)
			origin.ClearFaults()
			f = d.DownloadFile(t.Context(), "b", "k", name, harness.Resume)
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, name, content)
			leak.Files(t, dir, "file")
			o := f.Object()
			if o.Verified != test.verified {
				t.Errorf("Verified: got %q, want %q", o.Verified, test.verified)
			}
			// Where the parts turn out to be others than they seemed, all is fetched again.
			seemed := strings.Contains(test.name, "seem")
			if (o.Resumed > 0) != (o.ETag != "" && !seemed) {
				t.Errorf("Resumed: got %d of an object with the ETag %q", o.Resumed, o.ETag)
			}
		})
	}
}

// lastRange is where the last range begins that was asked for.
func lastRange(origin *s3test.Server) (last int64) {
	for _, r := range harness.Requests(origin, "GET") {
		var first int64
		fmt.Sscanf(r.Range, "bytes=%d-", &first)
		last = max(last, first)
	}
	return last
}

// A digest of the whole object in one range cannot be gone on with; a change of what
// is verified in between does no harm.
func TestResumeWithAnotherVerify(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	want := s3test.PatternBytes(1, 400_000)
	modes := []processpool.VerifyMode{processpool.VerifyAuto, processpool.VerifyOff, processpool.VerifyRequired}
	downloaders := map[processpool.VerifyMode]*processpool.Downloader{}
	for _, mode := range modes {
		downloaders[mode] = harness.Single(t, origin, 100_000, harness.Verify(mode))
	}
	for _, put := range []string{"crc32c", "sha256"} {
		origin.Put("b", "k", want, s3test.WithChecksum(put, "FULL_OBJECT"))
		for _, first := range modes {
			for _, second := range modes {
				t.Run(fmt.Sprintf("%s,%v,%v", put, first, second), func(t *testing.T) {
					at := int64(200_000)
					if put == "sha256" && first == processpool.VerifyRequired {
						at = 0 // it is one range
					}
					name := filepath.Join(t.TempDir(), "file")
					harness.Interrupt(t, origin, downloaders[first], name, at)
					o := harness.Resumed(t, downloaders[second], name, want)
					if put == "sha256" && second == processpool.VerifyRequired {
						at = 0
					}
					harness.WantResumed(t, o, at)
				})
			}
		}
	}
}
