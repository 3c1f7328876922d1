package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A list whose s3get was killed goes on: each object is fetched once, but for those that were under
// way.
func TestRunKilled(t *testing.T) {
	leak.Check(t)
	const complete, all, workers = 20, 40, 3
	origin, dir := startOrigin(t), t.TempDir()
	needAttributes(t, dir)
	var list strings.Builder
	for i := range all {
		o := origin.Put("b", fmt.Sprint(i), fmt.Append(nil, "object ", i))
		fmt.Fprintf(&list, `{"bucket":"b","key":"%d","etag":%q,"size":%d}`+"\n", i, o.ETag, o.Size)
	}
	file, out := filepath.Join(dir, "list.jsonl"), filepath.Join(dir, "out")
	write(t, file, list.String())
	var mu sync.Mutex
	held := map[string]bool{} // guarded by mu
	origin.Inject(s3test.Fault{Method: "GET", Skip: complete, Do: func(_ *s3test.Server, r s3test.Request) {
		mu.Lock()
		defer mu.Unlock()
		held[r.Key] = true
	}, Gate: make(chan struct{})})

	args := []string{"run", "--endpoint", origin.URL(), "--workers", fmt.Sprint(workers), "--resume", file, "-d", out}
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asMain+"=1")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	context.AfterFunc(ctx, func() { cmd.Process.Kill() })
	lines, ended := bufio.NewScanner(stdout), 0
	for ended < complete && lines.Scan() {
		ended++
	}
	err = origin.WaitRequests(ctx, complete+workers, func(r s3test.Request) bool { return r.Method == "GET" })
	if ended < complete || err != nil {
		t.Fatalf("got %d complete objects, %v", ended, err)
	}
	cmd.Process.Kill()
	for lines.Scan() {
	}
	cmd.Wait()

	origin.ClearFaults()
	status, text, stderr := runAt(t, t.Context(), origin, args)
	if status != 0 {
		t.Errorf("again: got status %d, %s", status, stderr)
	}
	wantText(t, "again", text, fmt.Sprintf("%d objects, ", all-complete), fmt.Sprintf("; %d unchanged", complete))
	fetched, twice := map[string]int{}, 0
	for _, r := range origin.Requests() {
		if r.Method == "GET" {
			fetched[r.Key]++
		}
	}
	for key, n := range fetched {
		switch {
		case n == 1:
		case n == 2 && held[key]:
			twice++
		default:
			t.Errorf("%s was fetched %d times", key, n)
		}
	}
	if len(fetched) != all || twice == 0 || twice > workers {
		t.Errorf("%d objects were fetched, %d of them twice: want %d, and 1 to %d", len(fetched), twice, all, workers)
	}
	for i := range all {
		wantContent(t, filepath.Join(out, fmt.Sprint(i)), fmt.Sprint("object ", i))
	}
}
