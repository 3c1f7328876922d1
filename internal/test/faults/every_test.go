package faults_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Each system call on the temporary file fails in its turn, until there is none left to fail. In
// each case the destination is as before and nothing is left behind.
func TestEverySystemCallFails(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Multipart(5, 5))
	for n := 0; ; n++ {
		var mu sync.Mutex
		calls, failed := 0, ""
		restore := harness.Fault(t, func(op, _ string) error {
			mu.Lock()
			defer mu.Unlock()
			if op == "remove" { // a temporary file would be left behind
				return nil
			}
			if calls++; calls == n+1 {
				failed = op
				return syscall.EIO
			}
			return nil
		})
		dir := t.TempDir()
		err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
		restore()
		if failed == "" {
			if err != nil {
				t.Errorf("no call failed: got %v, want nil", err)
			}
			if n < 3 {
				t.Errorf("got %d calls, want those of a temporary file", n)
			}
			leak.Files(t, dir, "file")
			return
		}
		t.Run(fmt.Sprintf("n=%d,call=%s", n, failed), func(t *testing.T) {
			harness.WantError(t, err, syscall.EIO)
			leak.Files(t, dir)
		})
	}
}

// Each request fails in its turn: once with a 403, and once with a connection that breaks off. The
// 403 of the HeadObject counts only if the GetObject that asks for the reason is refused, too.
func TestEveryRequestFails(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin, harness.Multipart(2, 2))
	for n := 0; ; n++ {
		dir := t.TempDir()
		origin.ClearFaults()
		times := 1
		if n == 0 {
			times = 2
		}
		refused := origin.Inject(s3test.Fault{Skip: n, Times: times, Status: 403})
		err := harness.Download(t, d, "k", filepath.Join(dir, "refused"))
		if refused.Hits() == 0 {
			if err != nil || n != 6 {
				t.Errorf("request %d: got %v, want all of 6 to have failed", n, err)
			}
			return
		}
		harness.WantError(t, err)
		leak.Files(t, dir)

		origin.ClearFaults()
		origin.Inject(s3test.Fault{Skip: n, Times: 1, Cut: true, CutAfter: -1})
		if err := harness.Download(t, d, "k", filepath.Join(dir, "cut")); err != nil {
			t.Errorf("request %d is cut off: got %v, want another attempt", n, err)
		}
		harness.WantContent(t, filepath.Join(dir, "cut"), harness.Content)
		leak.Files(t, dir, "cut")
	}
}

// The failure of one transfer does not affect the others.
func TestFailuresAreApart(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "good", harness.Content)
	origin.Put("b", "bad", harness.Content)
	origin.Inject(s3test.Fault{Key: "bad", Method: "GET", Range: "bytes=8-9", Status: 403})
	d := harness.NewDownloader(t, origin, harness.Multipart(2, 2))
	var futures []*processpool.Future
	var want []string
	for i := range 20 {
		key := map[bool]string{true: "bad", false: "good"}[i%2 == 0]
		name := fmt.Sprint(key, i)
		futures = append(futures, d.DownloadFile(t.Context(), "b", key, filepath.Join(dir, name)))
		if key == "good" {
			want = append(want, name)
		}
	}
	for _, f := range futures {
		err := harness.Result(t, f)
		if f.Meta().Key == "bad" {
			harness.WantError(t, err)
		} else if err != nil {
			t.Errorf("%s: got %v, want nil", f.Meta().Filename, err)
		}
	}
	for _, name := range want {
		harness.WantContent(t, filepath.Join(dir, name), harness.Content)
	}
	leak.Files(t, dir, want...)
}
