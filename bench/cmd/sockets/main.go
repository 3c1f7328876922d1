// Command sockets reads from many connections with goroutines on Go's network poller, in one
// process or spread over several, and discards the bytes. It shows the cost of the poller, and the
// gain from having more than one (https://go.dev/issue/65064).
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/s3processpool/processpool/bench/internal/task"
)

var processes = flag.Int("processes", 1, "`number` of processes that share the -workers connections and the -count requests")

func main() {
	t := task.Parse()
	if *processes > 1 {
		task.Exit(spread(t))
	}
	task.Exit(run(t))
}

// spread starts a child process for each share of the work.
func spread(t task.Task) error {
	var group errgroup.Group
	for i := range *processes {
		share := t
		share.Workers = part(t.Workers, i)
		share.Count = part(t.Count, i)
		cmd := exec.Command(os.Args[0], share.Args()...)
		cmd.Stderr = os.Stderr
		group.Go(cmd.Run)
	}
	return group.Wait()
}

// part returns the share of n for process i.
func part(n, i int) int { return n*(i+1) / *processes - n*i / *processes }

// run makes Count requests over Workers connections.
func run(t task.Task) error {
	var taken atomic.Int64
	var group errgroup.Group
	for range t.Workers {
		group.Go(func() error { return read(t, &taken) })
	}
	return group.Wait()
}

func read(t task.Task, taken *atomic.Int64) error {
	conn, err := net.Dial("tcp", strings.TrimPrefix(t.URL, "http://"))
	if err != nil {
		return err
	}
	defer conn.Close()
	buffer := make([]byte, 32<<10)
	ranges := t.Size / t.Chunk
	for {
		i := taken.Add(1) - 1
		if i >= int64(t.Count) {
			return nil
		}
		first := i % ranges * t.Chunk
		if _, err := fmt.Fprintf(conn, "GET /%s/%s HTTP/1.1\r\nHost: bench\r\nRange: bytes=%d-%d\r\n\r\n",
			t.Bucket, t.Key, first, first+t.Chunk-1); err != nil {
			return err
		}
		if err := drain(conn, buffer, t.Chunk); err != nil {
			return err
		}
	}
}

// drain reads one response, whose body has the given number of bytes.
func drain(conn net.Conn, buffer []byte, body int64) error {
	n, head := 0, -1
	for head < 0 {
		m, err := conn.Read(buffer[n:])
		if err != nil {
			return err
		}
		n += m
		if head = strings.Index(string(buffer[:n]), "\r\n\r\n"); head < 0 && n == len(buffer) {
			return errors.New("the header of the response is too long")
		}
	}
	if status := string(buffer[len("HTTP/1.1 "):][:3]); status != strconv.Itoa(http.StatusPartialContent) {
		return fmt.Errorf("status %s", status)
	}
	for left := body - int64(n-head-4); left > 0; {
		m, err := conn.Read(buffer[:min(left, int64(len(buffer)))])
		if err != nil {
			return err
		}
		left -= int64(m)
	}
	return nil
}
