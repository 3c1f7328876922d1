package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/s3processpool/processpool"
)

const mib = 1 << 20

// line shows how far the download is: on a terminal a line that is written over
// again and again, elsewhere a line at each tenth.
type line struct {
	out      io.Writer
	terminal bool
	began    time.Time
	last     time.Time // on a terminal
	tenths   int64     // elsewhere
	open     bool      // the cursor is behind an unfinished line
}

func newLine(out io.Writer) *line {
	l := &line{out: out, began: time.Now()}
	if file, ok := out.(*os.File); ok {
		info, err := file.Stat()
		l.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return l
}

// show is for DownloadOptions.OnProgress, which never calls it concurrently.
func (l *line) show(p processpool.Progress) {
	if p.BytesTotal <= 0 {
		return
	}
	if l.terminal {
		if now := time.Now(); now.Sub(l.last) >= 50*time.Millisecond || p.BytesDone == p.BytesTotal {
			l.last, l.open = now, true
			fmt.Fprintf(l.out, "\r%s\x1b[K", l.text(p)) // \x1b[K clears what a longer line left
		}
		return
	}
	if tenths := 10 * p.BytesDone / p.BytesTotal; tenths > l.tenths {
		l.tenths = tenths
		fmt.Fprintln(l.out, l.text(p))
	}
}

func (l *line) text(p processpool.Progress) string {
	return fmt.Sprintf("%3d %%  %.1f of %.1f MiB  %.0f MiB/s",
		100*p.BytesDone/p.BytesTotal, float64(p.BytesDone)/mib, float64(p.BytesTotal)/mib,
		rate(p.BytesDone, time.Since(l.began)))
}

// end is called when the future has its result, after which show is not called.
func (l *line) end() {
	if l.open {
		fmt.Fprintln(l.out)
	}
}

func report(out io.Writer, future *processpool.Future, took time.Duration) {
	meta, object := future.Meta(), future.Object()
	fmt.Fprintf(out, "object      s3://%s/%s, %d bytes, ETag %s\n", meta.Bucket, meta.Key, object.Size, object.ETag)
	fmt.Fprintf(out, "file        %s\n", meta.Filename)
	fmt.Fprintf(out, "time        %.2f s with the start of the workers, %.0f MiB/s\n", took.Seconds(), rate(object.Size, took))
	fmt.Fprintf(out, "verified    %s\n", cmp.Or(object.Verified, "by nothing: S3 keeps nothing that can prove these bytes"))
	if pids := children(); len(pids) > 0 {
		fmt.Fprintf(out, "workers     %s\n", strings.Join(pids, " "))
	}
}

func rate(bytes int64, took time.Duration) float64 { return float64(bytes) / mib / took.Seconds() }

// children are the pids of the processes that this one has started: the pool's
// workers. Only Linux lists them so (proc_pid_task(5)).
func children() []string {
	var pids []int
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, word := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	slices.Sort(pids)
	words := make([]string, len(pids))
	for i, pid := range pids {
		words[i] = strconv.Itoa(pid)
	}
	return words
}
