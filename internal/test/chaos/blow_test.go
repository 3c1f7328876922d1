//go:build linux

package chaos

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// children returns the child processes of this process, which are the workers of the pool.
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

// send sends a signal to one of the children, unless it has ended. os.Process holds a handle of the
// process, so that its id is not reused meanwhile.
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

// started reports whether a child has executed its program. A child that is stopped earlier,
// between vfork and exec, blocks this process: Go's runtime waits for it without a timeout
// (syscall.forkAndExecInChild), and so does the next garbage collection.
func started(pid int) bool {
	environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return bytes.Contains(environ, []byte("PROCESSPOOL_WORKER="))
}

// endless reports whether the blow stops a worker until the downloads have ended.
func (b blow) endless() bool { return b.signal == syscall.SIGSTOP && b.rest == 0 }

// strike carries out a blow, at once or after its delay.
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
	if b.signal == syscall.SIGSTOP && !started(pid) {
		return
	}
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
