//go:build linux

package chaos

import (
	"flag"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/s3processpool/processpool/internal/test/harness"
)

// The default runs detect each of seven ways to break the library: no If-Match, a missing range, a
// temporary file left behind, the end of a worker not reported, no verification, a size of 0 that
// is not confirmed, and a 429 that is not retried.
var (
	runs   = flag.Int("chaos.runs", 12, "`number` of runs")
	seed   = flag.Uint64("chaos.seed", 49, "`seed` of the first run; each following run adds 1")
	shards = flag.Int("chaos.shards", 3, "`number` of processes that share more than 50 runs")
	report = flag.String("chaos.report", "", "`file` for the figures, in JSON")
)

// enough is the number of failures at which the test stops.
const enough = 5

func TestMain(m *testing.M) { harness.Main(m) }

func TestChaos(t *testing.T) {
	count := newFigures()
	if *runs > 50 && *shards > 1 {
		share(t, count)
	} else {
		for n := range *runs {
			s := *seed + uint64(n)
			count.Runs++
			if !t.Run(fmt.Sprintf("seed=%d", s), func(t *testing.T) { perform(t, newPlan(s), count) }) {
				count.Failed++
			}
			if count.Hangs > 0 || count.Failed >= enough {
				break
			}
		}
	}
	t.Log(count)
	if *report != "" {
		if err := count.write(*report); err != nil {
			t.Error(err)
		}
	}
}

// figures counts the results of the runs.
type figures struct {
	Runs, Failed, Transfers, Succeeded int
	WrongBytes, Leftovers, Hangs       int
	Faults                             map[string]int

	mu sync.Mutex
}

func newFigures() *figures { return &figures{Faults: map[string]int{}} }

func (f *figures) fault(name string) { f.faults(name, 1) }

func (f *figures) faults(name string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Faults[name] += n
}

func (f *figures) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d runs, of which %d failed; %d transfers, of which %d succeeded; wrong bytes %d, leftovers %d, hangs %d\n",
		f.Runs, f.Failed, f.Transfers, f.Succeeded, f.WrongBytes, f.Leftovers, f.Hangs)
	for _, name := range slices.Sorted(maps.Keys(f.Faults)) {
		fmt.Fprintf(&b, "%8d  %s\n", f.Faults[name], name)
	}
	return b.String()
}

// stacks returns the stacks of all goroutines.
func stacks() []byte {
	p := make([]byte, 4<<20)
	return p[:runtime.Stack(p, true)]
}

// journal keeps the log for the report of a failure. It omits the standard error of workers, which
// is long if they crash.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if line := strings.TrimSpace(string(p)); !strings.Contains(line, "standard error") {
		j.lines = append(j.lines, line[:min(len(line), 600)])
	}
	return len(p), nil
}

func (j *journal) tail() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines[max(len(j.lines)-100, 0):], "\n")
}
