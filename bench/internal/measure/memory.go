package measure

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Memory is the proportional set size of the processes in bytes, at the moment when its sum was
// largest. It counts a shared page in proportion to the number of processes that share it
// (proc_pid_smaps(5)).
type Memory struct {
	Total     int64 `json:"total"`
	Parent    int64 `json:"parent"` // the first process
	ChildMean int64 `json:"child_mean"`
	ChildMax  int64 `json:"child_max"`
	Children  int   `json:"children"`
}

// sampleEvery is the time between two samples.
const sampleEvery = 10 * time.Millisecond

// watch supervises a process group while it runs.
type watch struct {
	stop, done chan struct{}
	memory     Memory
	cut        bool
}

// newWatch starts to supervise a group. It samples the memory if c.Memory is set, ends the first
// process after c.For, and kills the group when ctx is done.
func newWatch(ctx context.Context, group int, c Command) *watch {
	w := &watch{stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		ticks := time.NewTicker(sampleEvery)
		defer ticks.Stop()
		if !c.Memory {
			ticks.Stop()
		}
		var over <-chan time.Time
		if c.For > 0 {
			over = time.After(c.For)
		}
		for {
			select {
			case <-w.stop:
				return
			case <-ticks.C:
				if m := sample(group); m.Total > w.memory.Total {
					w.memory = m
				}
			case <-over:
				w.cut = true
				syscall.Kill(group, syscall.SIGTERM)
			case <-ctx.Done():
				syscall.Kill(-group, syscall.SIGKILL)
				return
			}
		}
	}()
	return w
}

// end stops the supervision after the first process has ended. It returns the memory, and whether
// the watch ended the process because of c.For.
func (w *watch) end() (Memory, bool) {
	close(w.stop)
	<-w.done
	return w.memory, w.cut
}

// sample returns the current memory of the group. A process that ends meanwhile counts as 0.
func sample(group int) Memory {
	var m Memory
	for _, pid := range members(group) {
		size := pss(pid)
		m.Total += size
		if pid == group {
			m.Parent = size
			continue
		}
		m.Children++
		m.ChildMax = max(m.ChildMax, size)
	}
	if m.Children > 0 {
		m.ChildMean = (m.Total - m.Parent) / int64(m.Children)
	}
	return m
}

// members lists the processes of a group.
func members(group int) []int {
	names, _ := filepath.Glob("/proc/[0-9]*/stat")
	var pids []int
	for _, name := range names {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		// pid (comm) state ppid pgrp ...; comm may contain any character.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 3 || fields[2] != strconv.Itoa(group) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// pss returns the proportional set size of a process, 0 if the process has ended.
func pss(pid int) int64 {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/smaps_rollup")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "Pss:" {
			n, _ := strconv.ParseInt(fields[1], 10, 64)
			return n << 10
		}
	}
	return 0
}
