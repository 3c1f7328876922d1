package processpool_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// logbook keeps records as JSON. Loggers write to it from several goroutines.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// records returns those with this message.
func (l *logbook) records(t *testing.T, message string) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []map[string]any
	for line := range bytes.Lines(l.buf.Bytes()) {
		var r map[string]any
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		if r["msg"] == message {
			found = append(found, r)
		}
	}
	return found
}

// Records name the object, the range, the attempt, the worker and S3's request.
func TestLog(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	origin.Inject(s3test.Fault{Range: "bytes=5-9", Status: 503, Times: 1})
	book := &logbook{}
	d := newDownloader(t, origin, multipart(5, 5), processes(1), func(c *processpool.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(book, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	if err := download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	wantError(t, download(t, d, "none", filepath.Join(dir, "none")))
	shutdown(t, d)

	failed := book.records(t, "attempt failed")
	answered := book.records(t, "answered")
	if len(failed) != 1 || len(answered) != 3 {
		t.Fatalf("got %d failed attempts and %d answers, want 1 and 3:\n%s", len(failed), len(answered), book.buf.String())
	}
	want := map[string]string{"level": "INFO", "bucket": "b", "key": "k", "transfer": "0", "op": "GetObject", "offset": "5", "length": "5", "attempt": "1"}
	for name, value := range want {
		if got := fmt.Sprint(failed[0][name]); got != value {
			t.Errorf("attempt failed: got %s %s, want %s", name, got, value)
		}
	}
	for _, r := range slices.Concat(failed, answered) {
		if r["worker"] == nil || r["op"] == "GetObject" && (r["request"] == nil || r["request"] == "") {
			t.Errorf("got %v, want the worker and the request", r)
		}
	}
	if got := book.records(t, "downloaded"); len(got) != 1 || got[0]["level"] != "DEBUG" || got[0]["verified"] != "CRC64NVME full object" {
		t.Errorf("downloaded: got %v", got)
	}
	if got := book.records(t, "not downloaded"); len(got) != 1 || got[0]["key"] != "none" {
		t.Errorf("not downloaded: got %v", got)
	}
}
