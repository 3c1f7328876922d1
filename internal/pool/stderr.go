package pool

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
)

// Limits of what is kept of a worker's standard error.
const (
	maxLine = 4 << 10 // a longer line reaches the logger in pieces
	maxTail = 8 << 10
)

// stderr passes a worker's standard error to the logger, line by line, and keeps
// its end for the error that tells of the worker's. os/exec copies into it from a
// goroutine of its own, which ends before Wait returns.
type stderr struct {
	logger *slog.Logger
	pid    atomic.Int64

	mu struct {
		sync.Mutex
		line []byte
		last []byte
	}
}

func (s *stderr) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.last = append(s.mu.last, p...)
	if over := len(s.mu.last) - maxTail; over > 0 {
		s.mu.last = append(s.mu.last[:0], s.mu.last[over:]...)
	}
	s.mu.line = append(s.mu.line, p...)
	for {
		end := bytes.IndexByte(s.mu.line, '\n')
		next := end + 1
		if end < 0 && len(s.mu.line) >= maxLine {
			end, next = maxLine, maxLine
		}
		if end < 0 {
			return len(p), nil
		}
		s.log(s.mu.line[:end])
		s.mu.line = append(s.mu.line[:0], s.mu.line[next:]...)
	}
}

// flush logs a last line that had no end.
func (s *stderr) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log(s.mu.line)
	s.mu.line = nil
}

func (s *stderr) log(line []byte) {
	if text := strings.TrimRight(string(line), "\r"); text != "" {
		s.logger.Warn("worker's standard error", "worker", s.pid.Load(), "line", text)
	}
}

func (s *stderr) tail() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimSpace(string(s.mu.last))
}
