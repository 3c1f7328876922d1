//go:build linux

package chaos

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/s3processpool/processpool/fleet/internal/test/site"
)

var (
	runs = flag.Int("fleet.runs", 2, "`number` of runs")
	seed = flag.Uint64("fleet.seed", 1, "`seed` of the first run; each following run adds 1")
)

func TestMain(m *testing.M) { site.Main(m) }

func TestChaos(t *testing.T) {
	count := &figures{faults: map[string]int{}}
	t.Cleanup(func() { t.Log(count) })
	for n := range *runs {
		s := *seed + uint64(n)
		t.Run(fmt.Sprintf("seed=%d", s), func(t *testing.T) {
			t.Parallel() // a run mostly waits
			perform(t, newPlan(s), count)
		})
	}
}

// figures counts what has happened in all runs.
type figures struct {
	mu       sync.Mutex
	runs     int
	twice    int     // files that two nodes have
	worst    float64 // the largest share of the bytes that a run may fetch again
	faults   map[string]int
	ideal    int64 // bytes
	fetched  int64
	requeued int
}

func (f *figures) fault(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults[name]++
}

func (f *figures) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "%d runs; of %d MiB, %d were fetched again, in the worst run %.0f%% of what its faults allow; %d files on two nodes; %d dead put back\n",
		f.runs, f.ideal>>20, (f.fetched-f.ideal)>>20, 100*f.worst, f.twice, f.requeued)
	for _, name := range slices.Sorted(maps.Keys(f.faults)) {
		fmt.Fprintf(&b, "%8d  %s\n", f.faults[name], name)
	}
	return b.String()
}
