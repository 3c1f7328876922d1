package pool

import (
	"bytes"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
)

// maxLine is how many bytes of a line of a worker's standard error are logged at a time.
const maxLine = 4 << 10

// stderr logs a worker's standard error line by line, and keeps of it what tells how the worker
// ended: the last crash, and the end. os/exec writes to it from a goroutine of its own, which ends
// before Wait returns.
type stderr struct {
	logger *slog.Logger

	mu struct {
		sync.Mutex
		pid     int
		line    []byte // begun and not yet logged
		within  bool   // it continues a line of which a piece was logged
		total   int64  // bytes written, without those of line
		last    []byte // the end of what was written
		crashes crashes
		allowed allowance
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
			s.piece(rest[:end], end+1)
			s.mu.within = false
			rest = rest[end+1:]
		case len(rest) > maxLine:
			s.piece(rest[:maxLine], maxLine)
			s.mu.within = true
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
	s.piece(s.mu.line, len(s.mu.line))
	s.mu.line = nil
	s.note()
}

// piece logs a line, or a piece of a long one, of n bytes with its line feed. s.mu must be held.
func (s *stderr) piece(line []byte, n int) {
	line = bytes.TrimRight(line, "\r")
	s.mu.total += int64(n)
	if !s.mu.within && n > 0 {
		s.mu.crashes.line(line, s.mu.total)
	}
	if len(line) > 0 && s.mu.allowed.take(len(line)) {
		s.note()
		s.logger.Warn("worker's standard error", "worker", s.mu.pid, "line", string(line))
	}
}

// note logs how much was not logged. s.mu must be held.
func (s *stderr) note() {
	if lines, bytes := s.mu.allowed.takeDropped(); lines > 0 {
		s.logger.Warn("worker's standard error is too long: a part of it is not logged",
			"worker", s.mu.pid, "lines", lines, "bytes", bytes)
	}
}

// words returns what the standard error tells of the worker's end: the crash and what followed it,
// or the last words. It must be called after flush.
func (s *stderr) words() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.mu.crashes.last
	if c == nil {
		if words := tail(s.mu.last, maxTail, s.mu.total > int64(len(s.mu.last))); words != "" {
			return "its standard error ends with: " + words
		}
		return ""
	}
	rest := s.mu.last[max(0, int64(len(s.mu.last))-(s.mu.total-c.end)):]
	words := tail(rest, maxCrashTail, s.mu.total-c.end > int64(len(rest)))
	if words != "" {
		words = "\n...\n" + strings.TrimPrefix(words, "...")
	}
	return "it crashed: " + printable(c.text()) + words
}
