package figures

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/fleet/internal/test/site"
	"github.com/s3processpool/processpool/internal/tool/mark"
)

var figures = flag.Bool("figures", false, "plan 1,000,000 objects, and have workers take 100,000")

// The objects of the lists. Each is in place already: a worker has nothing to download.
const (
	etag      = `"0123456789abcdef0123456789abcdef"`
	file      = "same"
	large     = 2 << 20 // has a message of its own
	small     = 4 << 10 // shares one with others
	inMessage = 100
)

// What 1,000,000 objects cost in the queue: time to plan, the server's memory and disk, and the time
// until a server that was killed answers again.
func TestPlan(t *testing.T) {
	n := 2000
	if *figures {
		n = 1_000_000
	}
	for name, size := range map[string]int64{"a message for each object": large, "messages of 100 objects": small} {
		t.Run(name, func(t *testing.T) {
			s, list, store := site.New(t), listOf(t, n, size), t.TempDir()
			server, url := s.Serve(store, "127.0.0.1:0")
			empty := memoryOf(t, server)
			began := time.Now()
			plan := s.Start("plan", list, "--nats", url, "--run", "r")
			waitLong(t, plan)
			took := time.Since(began)
			planned := memoryOf(t, server)
			began = time.Now()
			status := statusOf(t, s, url)
			asked := time.Since(began)
			messages, most := n, n
			if size == small { // an entry of the record may end with a smaller message
				messages, most = n/inMessage, n/inMessage*11/10
			}
			if status.Planned != int64(n) || status.Open != int64(n) || !status.Complete ||
				status.Waiting < int64(messages) || status.Waiting > int64(most) {
				t.Errorf("got %+v, want %d objects in %d messages", status, n, messages)
			}
			usage := plan.ProcessState.SysUsage().(*syscall.Rusage)
			t.Logf("%d objects: planned in %.1f s (%.0f messages/s); planner: %.1f s of processor time, %d MiB",
				n, took.Seconds(), float64(messages)/took.Seconds(), (plan.ProcessState.UserTime() + plan.ProcessState.SystemTime()).Seconds(), usage.Maxrss>>10)
			t.Logf("server: memory %d MiB empty, %d MiB planned, %d MiB at most; disk %.1f MiB; status takes %.2f s",
				empty.now, planned.now, planned.peak, float64(diskOf(t, store))/(1<<20), asked.Seconds())

			address := url[strings.LastIndexByte(url, '@')+1:]
			if err := server.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			server.Wait(-1)
			began = time.Now()
			server, again := s.Serve(store, address)
			if got := statusOf(t, s, again); got.Open != int64(n) {
				t.Errorf("after kill -9: got %+v, want %d open", got, n)
			}
			started := memoryOf(t, server)
			t.Logf("server killed and started again: %.2f s until status, memory %d MiB", time.Since(began).Seconds(), started.now)
		})
	}
}

// How many messages a second one worker takes, looks at, and acknowledges, if nothing is to be
// downloaded.
func TestWork(t *testing.T) {
	n := 500
	if *figures {
		n = 100_000
	}
	for _, processes := range []int{4, 32} {
		t.Run(fmt.Sprintf("slots=%d", processes), func(t *testing.T) {
			s, list := site.New(t), listOf(t, n, large)
			name := filepath.Join(s.Dir, file)
			if err := os.WriteFile(name, nil, 0o666); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(name, large); err != nil {
				t.Fatal(err)
			}
			if err := mark.Available(name); err != nil {
				t.Skipf("extended attributes: %v", err)
			}
			mark.Set(name, etag)
			server, url := s.Serve(t.TempDir(), "127.0.0.1:0")
			s.Fleet(0, "plan", list, "--nats", url, "--run", "r")
			before := memoryOf(t, server)
			began := time.Now()
			work := s.Start("work", s.Dir, "--nats", url, "--run", "r", "--processes", strconv.Itoa(processes))
			waitLong(t, work)
			took := time.Since(began)
			if status := statusOf(t, s, url); status.Done != int64(n) || status.Nodes[0].Skipped != int64(n) {
				t.Errorf("got %+v, want %d done, and skipped", status, n)
			}
			own, queue := work.ProcessState.UserTime()+work.ProcessState.SystemTime(), memoryOf(t, server).cpu-before.cpu
			t.Logf("%d messages in %.1f s (%.0f/s), processor time of a message: %.3f ms of the worker, %.3f ms of the server",
				n, took.Seconds(), float64(n)/took.Seconds(), own.Seconds()*1e3/float64(n), queue.Seconds()*1e3/float64(n))
		})
	}
}

// listOf writes a list of n objects.
func listOf(t *testing.T, n int, size int64) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "list.jsonl")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	for i := range n {
		fmt.Fprintf(w, `{"bucket":"mybucket","key":"a/prefix/of/some/length/%08d.parquet","size":%d,"etag":%q,"file":%q}`+"\n", i, size, etag, file)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return name
}

// waitLong waits for a command that must succeed, for as long as it takes.
func waitLong(t *testing.T, p *site.Process) {
	t.Helper()
	if err := p.Err(); err != nil {
		t.Fatalf("%v: %s", err, &p.Stderr)
	}
}

func statusOf(t *testing.T, s *site.Site, url string) (status fleet.Status) {
	t.Helper()
	out, _ := s.Fleet(0, "status", "--nats", url, "--json")
	if err := json.Unmarshal([]byte(out), &status); err != nil {
		t.Fatal(err)
	}
	return status
}

// memory is the resident memory of a process, in MiB, and its processor time.
type memory struct {
	now, peak int
	cpu       time.Duration
}

func memoryOf(t *testing.T, p *site.Process) (m memory) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		switch fields[0] {
		case "VmRSS:":
			m.now, _ = strconv.Atoi(fields[1])
		case "VmHWM:":
			m.peak, _ = strconv.Atoi(fields[1])
		}
	}
	m.now, m.peak = m.now>>10, m.peak>>10
	if text, err = os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid)); err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	for _, ticks := range fields[11:13] { // utime and stime of proc_pid_stat(5), 100 a second
		n, _ := strconv.Atoi(ticks)
		m.cpu += time.Duration(n) * 10 * time.Millisecond
	}
	return m
}

// diskOf returns the bytes that the files of a directory occupy.
func diskOf(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil {
			bytes += info.Sys().(*syscall.Stat_t).Blocks * 512
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}
