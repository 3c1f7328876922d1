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

// Memory is the proportional set size (proc_pid_smaps(5): shared pages are counted by
// share) at the moment when that of all processes together was largest, in bytes.
type Memory struct {
	Total     int64 `json:"total"`
	Parent    int64 `json:"parent"` // the first process
	ChildMean int64 `json:"child_mean"`
	ChildMax  int64 `json:"child_max"`
	Children  int   `json:"children"`
}

// sampleEvery is the pause between two looks.
const sampleEvery = 10 * time.Millisecond

// watch looks after a process group while it runs.
type watch struct {
	stop, done chan struct{}
	memory     Memory
	cut        bool
}

// newWatch samples the group's memory if that is wanted, and ends the group when ctx
// does, or its time is over.
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

// end is called when the first process is gone.
func (w *watch) end() (Memory, bool) {
	close(w.stop)
	<-w.done
	return w.memory, w.cut
}

// sample adds up what the group's processes have now. One that ends meanwhile counts
// nothing.
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
		// pid (comm) state ppid pgrp ...; comm may hold anything.
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

// pss reads a process's proportional set size, 0 if it is gone.
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
