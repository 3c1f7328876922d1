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

// Every checksum that S3 may store verifies a resumed object as it verifies any other.
func TestResumeVerifies(t *testing.T) {
	content := s3test.PatternBytes(11, 1_000_001)
	for _, test := range stored {
		t.Run(test.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", content, test.put...)
			name := filepath.Join(dir, "file")
			d := harness.NewDownloader(t, origin, harness.Multipart(100_000, 100_000), harness.Processes(2))
			// The last bytes never arrive, and all others do.
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
			// If the parts differ from the ones assumed, all bytes are fetched again.
			seemed := strings.Contains(test.name, "seem")
			if (o.Resumed > 0) != (o.ETag != "" && !seemed) {
				t.Errorf("Resumed: got %d of an object with the ETag %q", o.Resumed, o.ETag)
			}
		})
	}
}

// lastRange returns the offset of the last range that was requested.
func lastRange(origin *s3test.Server) (last int64) {
	for _, r := range harness.Requests(origin, "GET") {
		var first int64
		fmt.Sscanf(r.Range, "bytes=%d-", &first)
		last = max(last, first)
	}
	return last
}

// A download may resume with another VerifyMode.
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
					const at = 200_000
					name := filepath.Join(t.TempDir(), "file")
					harness.Interrupt(t, origin, downloaders[first], name, at)
					o := harness.Resumed(t, downloaders[second], name, want)
					harness.WantResumed(t, o, at)
				})
			}
		}
	}
}
