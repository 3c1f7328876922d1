//go:build linux

package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// children returns the child processes of this one: the pool's workers.
func children() []int {
	var pids []int
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, list := range lists {
		data, _ := os.ReadFile(list) // a thread may have ended
		for _, field := range strings.Fields(string(data)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	slices.Sort(pids)
	return pids
}

// send signals one of the children, unless it is gone: Process holds on to it, so
// that its number is nobody else's.
func send(pid int, signal syscall.Signal) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer p.Release()
	return slices.Contains(children(), pid) && p.Signal(signal) == nil
}

func (r *run) signalAll(signal syscall.Signal) {
	for _, pid := range children() {
		send(pid, signal)
	}
}

// strike carries out a blow.
func (r *run) strike(b blow) {
	if b.after == 0 {
		r.hit(b)
		return
	}
	r.blows.Go(func() {
		time.Sleep(b.after)
		r.hit(b)
	})
}

func (r *run) hit(b blow) {
	pids := children()
	if len(pids) == 0 {
		return
	}
	pid := pids[b.worker%len(pids)]
	if b.signal != syscall.SIGINT {
		r.lethal.Add(1)
	}
	if !send(pid, b.signal) {
		return
	}
	r.count.fault(strings.ToUpper(fmt.Sprint(b.signal)))
	if b.signal == syscall.SIGSTOP && b.rest > 0 {
		r.blows.Go(func() {
			time.Sleep(b.rest)
			send(pid, syscall.SIGCONT)
		})
	}
}
