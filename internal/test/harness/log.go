package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/s3processpool/processpool"
)

// A Log keeps log records of all levels, one JSON object a line. The zero value is ready to use.
// Its methods may be called concurrently.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends a record.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns all records.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Config sets the Logger of a Config to one that writes to l.
func (l *Log) Config(c *processpool.Config) {
	c.Logger = slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Records returns the records with this message.
func (l *Log) Records(t *testing.T, message string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(l.String()) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r[slog.MessageKey] == message {
			found = append(found, r)
		}
	}
	return found
}

// OnRecord is a log handler that calls a function for each record with a message, before the
// library goes on.
type OnRecord struct {
	Message string
	Call    func()
}

// Config sets the Logger of a Config to one with the handler h.
func (h OnRecord) Config(c *processpool.Config) { c.Logger = slog.New(h) }

// Enabled, WithAttrs, WithGroup and Handle implement slog.Handler.
func (OnRecord) Enabled(context.Context, slog.Level) bool { return true }
func (h OnRecord) WithAttrs([]slog.Attr) slog.Handler     { return h }
func (h OnRecord) WithGroup(string) slog.Handler          { return h }
func (h OnRecord) Handle(_ context.Context, r slog.Record) error {
	if r.Message == h.Message {
		h.Call()
	}
	return nil
}
