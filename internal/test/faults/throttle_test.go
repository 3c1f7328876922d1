package faults_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// allowance allows so many requests a second, and as many at once as burst.
type allowance struct {
	perSecond, burst float64

	mu     sync.Mutex
	tokens float64
	at     time.Time
}

// over reports whether a request is one too many.
func (a *allowance) over(s3test.Request) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.tokens, a.at = min(a.tokens+now.Sub(a.at).Seconds()*a.perSecond, a.burst), now
	if a.tokens < 1 {
		return true
	}
	a.tokens--
	return false
}

// A server that allows few requests a second refuses few: the pool makes fewer, rather than each worker
// for itself, of which half would be refused. A busy machine makes fewer yet.
func TestThrottledPool(t *testing.T) {
	leak.Check(t)
	const objects = 150
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	a := &allowance{perSecond: 50, burst: 5}
	origin.Inject(s3test.Fault{Match: a.over, Status: 503, Code: "SlowDown"})
	d := harness.NewDownloader(t, origin, harness.Processes(4), func(c *processpool.Config) { c.RequestsPerProcess = 2 })
	var futures []*processpool.Future
	for i := range objects {
		futures = append(futures, d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, fmt.Sprint(i)), harness.Expect(int64(len(harness.Content)))))
	}
	limited := false
	for _, f := range futures {
		if err := harness.Result(t, f); err != nil {
			t.Fatal(err)
		}
		limited = limited || d.Stats().RequestsLimit > 0
	}
	if !limited {
		t.Error("RequestsLimit was 0 all the time")
	}
	if refused := d.Stats().Retries.Throttled; refused < 1 || refused > objects/4 {
		t.Errorf("%d of %d requests were refused, want a quarter at most", refused, objects)
	}
}
