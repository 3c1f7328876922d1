package e2e_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Records name the object, the range, the attempt, the worker and the request ID of S3.
func TestLog(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	origin.Inject(s3test.Fault{Range: "bytes=5-9", Status: 503, Times: 1})
	var log harness.Log
	d := harness.NewDownloader(t, origin, harness.Multipart(5, 5), harness.Processes(1), log.Config)
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	harness.WantError(t, harness.Download(t, d, "none", filepath.Join(dir, "none")))
	harness.Shutdown(t, d)

	failed := log.Records(t, "attempt failed")
	answered := log.Records(t, "answered")
	if len(failed) != 1 || len(answered) != 3 {
		t.Fatalf("got %d failed attempts and %d answers, want 1 and 3:\n%s", len(failed), len(answered), log.String())
	}
	want := map[string]string{"level": "INFO", "bucket": "b", "key": "k", "transfer": "0", "op": "GetObject", "offset": "5", "length": "5", "attempt": "1"}
	for name, value := range want {
		if got := fmt.Sprint(failed[0][name]); got != value {
			t.Errorf("attempt failed: got %s %s, want %s", name, got, value)
		}
	}
	for _, r := range slices.Concat(failed, answered) {
		if r["worker"] == nil || r["op"] == "GetObject" && (r["request"] == nil || r["request"] == "") {
			t.Errorf("got %v, want the worker and the request", r)
		}
	}
	if got := log.Records(t, "downloaded"); len(got) != 1 || got[0]["level"] != "DEBUG" || got[0]["verified"] != "CRC64NVME full object" {
		t.Errorf("downloaded: got %v", got)
	}
	if got := log.Records(t, "not downloaded"); len(got) != 1 || got[0]["key"] != "none" {
		t.Errorf("not downloaded: got %v", got)
	}
}
