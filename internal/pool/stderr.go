package pool

import (
	"bytes"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
)

// Limits on a worker's standard error, in bytes.
const (
	maxLine = 4 << 10 // a longer line is logged in pieces
	maxTail = 8 << 10 // how much of its end is kept
)

// stderr logs a worker's standard error line by line, and keeps its end for the error that tells
// how the worker ended. os/exec writes to it from a goroutine of its own, which ends before Wait
// returns.
type stderr struct {
	logger *slog.Logger

	mu struct {
		sync.Mutex
		pid  int
		line []byte
		last []byte
	}
}

// startCommand starts a process that writes to s. The lock is held until the pid is known, so that
// each line is logged with it.
func (s *stderr) startCommand(cmd *exec.Cmd) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd.Stderr = s
	if err := cmd.Start(); err != nil {
		return err
	}
	s.mu.pid = cmd.Process.Pid
	return nil
}

// Write implements io.Writer.
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

// flush logs a last line that does not end with a line feed.
func (s *stderr) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log(s.mu.line)
	s.mu.line = nil
}

// log logs one line. s.mu must be held.
func (s *stderr) log(line []byte) {
	if text := strings.TrimRight(string(line), "\r"); text != "" {
		s.logger.Warn("worker's standard error", "worker", s.mu.pid, "line", text)
	}
}

// tail returns the end of what was written.
func (s *stderr) tail() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimSpace(string(s.mu.last))
}
