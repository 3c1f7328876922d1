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
	"unicode"
	"unicode/utf8"

	"github.com/s3processpool/processpool"
)

const mib = 1 << 20

// line shows the progress of the download: one line that is updated on a terminal, otherwise a new
// line for each tenth.
type line struct {
	out      io.Writer
	terminal bool
	began    time.Time
	last     time.Time // of the last update, on a terminal
	tenths   int64     // printed so far, otherwise
	open     bool      // the cursor is at the end of an unfinished line
}

func newLine(out io.Writer) *line {
	l := &line{out: out, began: time.Now()}
	if file, ok := out.(*os.File); ok {
		info, err := file.Stat()
		l.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return l
}

// show is a DownloadOptions.OnProgress, which is never called concurrently.
func (l *line) show(p processpool.Progress) {
	if p.BytesTotal <= 0 {
		return
	}
	if l.terminal {
		if now := time.Now(); now.Sub(l.last) >= 50*time.Millisecond || p.BytesDone == p.BytesTotal {
			l.last, l.open = now, true
			fmt.Fprintf(l.out, "\r%s\x1b[K", l.text(p)) // \x1b[K clears the rest of a longer line
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

// end is called when the future has its result. Then show is not called any more.
func (l *line) end() {
	if l.open {
		fmt.Fprintln(l.out)
	}
}

// printable quotes s if it has characters that are not printable: a key, a file name or a server's
// message may contain the control sequences of terminals.
func printable(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

func report(out io.Writer, future *processpool.Future, took time.Duration) {
	meta, object := future.Meta(), future.Object()
	fmt.Fprintf(out, "object      %s, %d bytes, ETag %s\n",
		printable("s3://"+meta.Bucket+"/"+meta.Key), object.Size, printable(object.ETag))
	fmt.Fprintf(out, "file        %s\n", printable(meta.Filename))
	fmt.Fprintf(out, "time        %.2f s including the start of the workers, %.0f MiB/s\n", took.Seconds(), rate(object.Size, took))
	fmt.Fprintf(out, "verified    %s\n", cmp.Or(object.Verified, "no: S3 stores no checksum that can verify the object"))
	if pids := children(); len(pids) > 0 {
		fmt.Fprintf(out, "workers     %s\n", strings.Join(pids, " "))
	}
}

func rate(bytes int64, took time.Duration) float64 { return float64(bytes) / mib / took.Seconds() }

// children returns the process ids of the child processes, which are the workers of the pool. It
// works on Linux only (proc_pid_task(5)).
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
