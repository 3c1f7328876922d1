package site

import (
	"bytes"
	"strings"
	"sync"
	"time"
)

// Output is what a process has written so far. It may be read while the process runs.
type Output struct {
	mu struct {
		sync.Mutex
		text  bytes.Buffer
		wrote chan struct{} // closed at the next Write; nil: nobody waits
	}
}

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.mu.wrote != nil {
		close(o.mu.wrote)
		o.mu.wrote = nil
	}
	return o.mu.text.Write(p)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mu.text.String()
}

// Line waits for the first line that contains a text, and returns it; "": there is none in time.
func (o *Output) Line(text string) string {
	timeout := time.After(Patience)
	for {
		o.mu.Lock()
		for line := range strings.Lines(o.mu.text.String()) {
			if strings.HasSuffix(line, "\n") && strings.Contains(line, text) {
				o.mu.Unlock()
				return strings.TrimSpace(line)
			}
		}
		if o.mu.wrote == nil {
			o.mu.wrote = make(chan struct{})
		}
		wrote := o.mu.wrote
		o.mu.Unlock()
		select {
		case <-wrote:
		case <-timeout:
			return ""
		}
	}
}
