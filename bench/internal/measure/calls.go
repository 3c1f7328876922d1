package measure

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// Calls are the system calls of a run by name: of its first process, and of all others.
type Calls struct {
	First  map[string]int `json:"first_process"`
	Others map[string]int `json:"others"`
}

// Total returns the number of calls, or of what they are on average.
func Total[N int | float64](calls map[string]N) (n N) {
	for _, times := range calls {
		n += times
	}
	return n
}

// Trace runs a command under strace, which must be in PATH, and counts its system calls. Unlike times,
// most of them are the same in each run. strace slows the program down many times.
func Trace(ctx context.Context, c Command) (Calls, error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return Calls{}, err
	}
	log := filepath.Join(c.Dir, "strace")
	defer os.Remove(log)
	c.Args = append([]string{strace, "-f", "-qq", "-o", log, "--"}, c.Args...)
	if _, err := Run(ctx, c); err != nil {
		return Calls{}, err
	}
	f, err := os.Open(log)
	if err != nil {
		return Calls{}, err
	}
	defer f.Close()
	return count(f)
}

var (
	callLine  = regexp.MustCompile(`^(\d+) +(<\.\.\. )?(\w+)( resumed>|\()`)
	childLine = regexp.MustCompile(`= (\d+)$`)
)

// count counts the calls in a log of strace -f. A thread belongs to the process of the thread that has
// created it with CLONE_THREAD.
func count(log io.Reader) (Calls, error) {
	var first string
	calls, creator, threads := map[string]map[string]int{}, map[string]string{}, map[string]bool{}
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		m := callLine.FindStringSubmatch(line)
		if m == nil {
			continue // a signal, or an end
		}
		thread, resumed, name := m[1], m[2] != "", m[3]
		if first == "" {
			first = thread
		}
		if !resumed {
			if calls[thread] == nil {
				calls[thread] = map[string]int{}
			}
			calls[thread][name]++
		}
		if name != "clone" && name != "clone3" {
			continue
		}
		if !resumed {
			threads[thread] = strings.Contains(line, "CLONE_THREAD")
		}
		if child := childLine.FindStringSubmatch(line); child != nil && threads[thread] {
			creator[child[1]] = thread
		}
	}
	all := Calls{First: map[string]int{}, Others: map[string]int{}}
	for thread, counted := range calls {
		process := thread
		for creator[process] != "" {
			process = creator[process]
		}
		sum := all.Others
		if process == first {
			sum = all.First
		}
		for name, times := range counted {
			sum[name] += times
		}
	}
	return all, lines.Err()
}
