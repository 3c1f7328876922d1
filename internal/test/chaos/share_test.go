//go:build linux

package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// share distributes the runs over several processes, because a run mostly waits. Runs do not share
// a process, so that each detects what it leaves behind.
func share(t *testing.T, count *figures) {
	ctx := t.Context()
	if end, ok := t.Deadline(); ok { // after the deadline the output of the shards would be lost
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-5*time.Second))
		defer cancel()
	}
	var all sync.WaitGroup
	dir := t.TempDir()
	for shard := range *shards {
		first, end := *runs*shard / *shards, *runs*(shard+1) / *shards
		name := filepath.Join(dir, fmt.Sprint(shard))
		cmd := exec.CommandContext(ctx, "/proc/self/exe", "-test.run=^TestChaos$", "-test.timeout=0",
			fmt.Sprint("-chaos.seed=", *seed+uint64(first)), fmt.Sprint("-chaos.runs=", end-first), "-chaos.shards=1", "-chaos.report="+name)
		all.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if err := count.read(name); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func (f *figures) write(name string) error {
	data, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o666)
}

// read adds the figures in a file.
func (f *figures) read(name string) error {
	var more figures
	data, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(data, &more)
	}
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Runs, f.Failed, f.Transfers, f.Succeeded = f.Runs+more.Runs, f.Failed+more.Failed, f.Transfers+more.Transfers, f.Succeeded+more.Succeeded
	f.WrongBytes, f.Leftovers, f.Hangs = f.WrongBytes+more.WrongBytes, f.Leftovers+more.Leftovers, f.Hangs+more.Hangs
	for name, n := range more.Faults {
		f.Faults[name] += n
	}
	return nil
}
