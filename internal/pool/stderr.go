package pool

import (
	"bytes"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
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

	mu struct {
		sync.Mutex
		pid  int
		line []byte
		last []byte
	}
}

// start starts a process that writes here. Its first line finds the pid known.
func (s *stderr) start(cmd *exec.Cmd) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd.Stderr = s
	if err := cmd.Start(); err != nil {
		return err
	}
	s.mu.pid = cmd.Process.Pid
	return nil
}

func (s *stderr) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.last = append(s.mu.last, p...)
	if over := len(s.mu.last) - maxTail; over > 0 {
		s.mu.last = append(s.mu.last[:0], s.mu.last[over:]...)
	}
	s.mu.line = append(s.mu.line, p...)
	for rest := s.mu.line; ; {
		end := bytes.IndexByte(rest[:min(len(rest), maxLine+1)], '\n')
		switch {
		case end >= 0:
			s.log(rest[:end])
			rest = rest[end+1:]
		case len(rest) > maxLine:
			s.log(rest[:maxLine])
			rest = rest[maxLine:]
		default:
			s.mu.line = append(s.mu.line[:0], rest...)
			return len(p), nil
		}
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
		s.logger.Warn("worker's standard error", "worker", s.mu.pid, "line", text)
	}
}

func (s *stderr) tail() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimSpace(string(s.mu.last))
}
