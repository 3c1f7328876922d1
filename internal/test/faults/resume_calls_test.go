package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Each system call on the partial file fails in its turn. The destination is as before, and the
// download can be resumed.
func TestResumeEverySystemCallFails(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	want := s3test.PatternBytes(1, 400_000)
	origin.Put("b", "k", want)
	d := harness.Single(t, origin, 50_000)
	for n := 0; ; n++ {
		dir := t.TempDir()
		name := filepath.Join(dir, "file")
		if n%2 == 1 { // the calls of a download that resumes
			harness.Interrupt(t, origin, d, name, 200_000)
		}
		var mu sync.Mutex
		calls, failed := 0, ""
		restore := harness.Fault(t, func(op, _ string) error {
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls == n/2+1 {
				failed = op
				return syscall.EIO
			}
			return nil
		})
		err := harness.Download(t, d, "k", name, harness.Resume)
		restore()
		if failed == "" && n >= 8 {
			if err != nil {
				t.Errorf("no call failed: got %v, want nil", err)
			}
			return
		}
		t.Run(fmt.Sprintf("n=%d,call=%s", n, failed), func(t *testing.T) {
			if err != nil {
				harness.WantError(t, err, syscall.EIO)
				if _, err := os.Lstat(name); err == nil {
					t.Error("got a file at the destination")
				}
			}
			harness.Resumed(t, d, name, want)
		})
	}
}
