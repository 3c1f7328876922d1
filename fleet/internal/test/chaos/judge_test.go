//go:build linux

package chaos

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/fleet"
)

// judge checks what must hold after each run:
//
//   - An object is in place or dead. The dead are those that are poisoned, each once.
//   - Nodes with one directory have each file once, and so have nodes with directories of their own, but
//     for what two of them have after a fault.
//   - Each file has the object's bytes. There are no other files, and no processes, but for what a
//     worker leaves that is killed between the last change of a file and its rename: see unmarked.
//   - planned, done, dead and open are what the files and the dead say.
//   - The bytes asked for are bounded: see allowance.
func (r *run) judge() {
	r.Helper()
	poisoned := r.poisoned()
	r.wantFiles(poisoned)
	r.wantStatus(objects-len(poisoned), len(poisoned))
	r.wantDead(poisoned)
	r.wantBytes()
	for _, w := range r.all {
		if err := w.Err(); err != nil && strings.Contains(err.Error(), "WaitDelay") {
			r.Errorf("processes of a worker outlive it: %v", err)
		}
	}
	r.count.mu.Lock()
	defer r.count.mu.Unlock()
	r.count.runs++
}

func (r *run) poisoned() map[string]bool {
	names := map[string]bool{}
	for _, o := range r.plan.objects {
		if o.poison != "" {
			names[o.name] = true
		}
	}
	return names
}

// wantFiles checks the files of all nodes. Those of missing are on none.
func (r *run) wantFiles(missing map[string]bool) {
	r.Helper()
	times := map[string]int{}
	dirs := slices.Clone(r.dirs)
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		for name, content := range r.Tree(dir) {
			i, _ := strconv.Atoi(name[max(0, len(name)-4):])
			switch {
			case r.unmarked(dir, name, content):
				r.count.fault("a killed worker left a whole file")
				continue
			case i >= objects || r.plan.objects[i].name != name:
				r.Errorf("left behind: %s%s", filepath.Join(dir, name), describe(filepath.Join(dir, name)))
				continue
			case !bytes.Equal(content, r.content(i)):
				r.Errorf("%s: got %d bytes, want the %d of the object", filepath.Join(dir, name), len(content), r.plan.objects[i].size)
			}
			times[name]++
		}
	}
	twice := 0
	for _, o := range r.plan.objects {
		switch n := times[o.name]; {
		case missing[o.name] && n > 0:
			r.Errorf("%s is dead, and in place", o.name)
		case !missing[o.name] && n == 0:
			r.Errorf("%s is in no place", o.name)
		case n > 1:
			twice++
		}
	}
	if twice > 0 && len(r.happened) == 0 {
		r.Errorf("%d files are on two nodes, without a fault", twice)
	}
	r.count.mu.Lock()
	defer r.count.mu.Unlock()
	r.count.twice += twice
}

func (r *run) wantStatus(done, dead int) {
	r.Helper()
	out, _ := r.Fleet(0, "status", "--nats", r.url, "--run", "r", "--json")
	var s fleet.Status
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		r.Fatalf("%v: %s", err, out)
	}
	if !s.Complete || !s.Ended || s.Planned != objects || s.Done != int64(done) || s.Dead != int64(dead) || s.Open != 0 || s.InFlight != 0 || s.Waiting != 0 {
		r.Errorf("want %d planned, %d done, %d dead: got %s", objects, done, dead, out)
	}
}

func (r *run) wantDead(poisoned map[string]bool) {
	r.Helper()
	out, _ := r.Fleet(0, "dead", "--nats", r.url, "--run", "r", "--json")
	seen := map[string]bool{}
	for line := range strings.Lines(out) {
		var d fleet.Dead
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			r.Fatalf("%v: %s", err, line)
		}
		if name := strings.TrimPrefix(d.Object.Key, "p/"); !poisoned[name] || seen[name] {
			r.Errorf("dead, and should not be, or twice: %s", line)
		} else {
			seen[name] = true
		}
	}
	if len(seen) != len(poisoned) {
		r.Errorf("got %d dead, want %d", len(seen), len(poisoned))
	}
}

// requeue heals what was poisoned, and puts it back: then all is in place.
func (r *run) requeue() {
	r.Helper()
	poisoned := r.poisoned()
	if len(poisoned) == 0 {
		return
	}
	r.Origin.ClearFaults()
	out, _ := r.Fleet(0, "dead", "--requeue", "--nats", r.url, "--run", "r")
	r.Text("requeue", out, fmt.Sprintf("%d objects are in the queue again", len(poisoned)))
	r.start(nodes - 1)
	r.workers[nodes-1].Wait(0)
	r.wantFiles(nil)
	r.wantStatus(objects, 0)
	r.wantDead(nil)
	r.count.mu.Lock()
	defer r.count.mu.Unlock()
	r.count.requeued += len(poisoned)
}

// again plans and works once more, on one directory with all files: there is nothing to download.
func (r *run) again() {
	r.Helper()
	if !r.plan.shared || r.plan.full {
		return
	}
	r.Origin.ResetRequests()
	r.Fleet(0, append(r.planArgs(), "--fresh")...)
	r.start(1)
	out, _ := r.workers[1].Wait(0)
	r.Text("again", out, fmt.Sprintf("%d objects done, %d of them were there already, 0 dead", objects, objects))
	for _, q := range r.Origin.Requests() {
		if q.Key != "" {
			r.Errorf("again: got %s %s", q.Method, q.Key)
		}
	}
	r.wantFiles(nil)
	r.wantStatus(objects, 0)
}

// unmarked reports whether a file is all of an object under a temporary name, without a mark by
// which it could be told from a file of others. Each worker that was killed may leave as many as it has
// slots; it is a matter of microseconds.
func (r *run) unmarked(dir, name string, content []byte) bool {
	stem := name[:max(0, len(name)-len(".01234567"))]
	i, err := strconv.Atoi(stem[max(0, len(stem)-4):])
	names := make([]byte, 1<<10)
	n, listErr := unix.Listxattr(filepath.Join(dir, name), names)
	return r.kills > 0 && err == nil && i < objects && r.plan.objects[i].name == stem && len(content) > 0 && bytes.Equal(content, r.content(i)) &&
		listErr == nil && !bytes.Contains(names[:n], []byte("user."))
}

// describe tells of a file what says where it is from.
func describe(file string) string {
	info, err := os.Lstat(file)
	if err != nil {
		return " " + err.Error()
	}
	names := make([]byte, 1<<10)
	n, _ := unix.Listxattr(file, names)
	return fmt.Sprintf(" (%v, %d bytes, written to at %v, attributes %q)", info.Mode(), info.Size(), info.ModTime().Format(time.TimeOnly), names[:max(n, 0)])
}

// children returns the processes that a process has started.
func children(pid int) (pids []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, one := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(one); err == nil {
				pids = append(pids, n)
			}
		}
	}
	return pids
}
