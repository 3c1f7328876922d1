package pool

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/s3processpool/processpool/internal/ipc"
)

// debugVariable is the environment variable that switches traces on: a list with commas. Its only
// name is "ipc".
const debugVariable = "PROCESSPOOLDEBUG"

// tracer prints the frames between a pool and its workers, one line a frame. See package ipc.
type tracer struct {
	mu struct {
		sync.Mutex
		out io.Writer
	}
}

// newTracer returns a tracer that prints to out if debugVariable asks for it, else nil.
func newTracer(out io.Writer) *tracer {
	if !slices.Contains(strings.Split(os.Getenv(debugVariable), ","), "ipc") {
		return nil
	}
	t := &tracer{}
	t.mu.out = out
	return t
}

// print prints a line. It may be called concurrently.
func (t *tracer) print(pid int, arrow, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.mu.out, "processpool ipc: worker %d %s %s\n", pid, arrow, text)
}

// transmit sends a message and traces it. The line comes before the frame goes out, so that the
// worker's answer comes behind it.
func (w *process) transmit(m ipc.Message, file *os.File) error {
	if t := w.pool.trace; t != nil {
		t.print(w.pid, "<-", ipc.Describe(m))
	}
	err := w.conn.Send(m, file)
	if t := w.pool.trace; t != nil && err != nil {
		t.print(w.pid, "<-", fmt.Sprintf("not sent: %v", err))
	}
	return err
}

// receive receives a message and traces it. Workers send no files. Only the seat's goroutine may
// call it.
func (w *process) receive() (ipc.Message, error) {
	m, _, err := w.conn.Receive()
	if t := w.pool.trace; t != nil && err == nil {
		t.print(w.pid, "->", ipc.Describe(m))
	}
	return m, err
}
