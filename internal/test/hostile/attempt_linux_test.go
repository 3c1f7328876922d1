package hostile_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// Whatever a worker says of its requests, OnAttempt gets texts of a limited length that act on no
// terminal, and the application's memory stays within bounds while OnAttempt is slow.
func TestHostileAttempts(t *testing.T) {
	for _, trick := range []string{"a flood of attempts", "odd attempts"} {
		t.Run(trick, func(t *testing.T) {
			leak.Check(t)
			runtime.GC()
			origin, dir := harness.StartOrigin(t), t.TempDir()
			lost := make(chan struct{})
			var once sync.Once
			mapped, _ := runtimeMemory()
			seen := 0
			d := harness.NewDownloader(t, origin, command("hostile-worker", trick), func(c *processpool.Config) {
				c.Logger = slog.New(slog.NewTextHandler(writer(func(p []byte) {
					if strings.Contains(string(p), "worker lost") {
						once.Do(func() { close(lost) })
					}
				}), nil))
				c.OnAttempt = func(a processpool.Attempt) {
					if trick == "a flood of attempts" {
						harness.Wait(t, lost, "the end of the worker") // all that it says waits
					}
					seen++
					for _, text := range []string{a.RequestID, a.HostID, a.RemoteAddr, a.Err.Error()} {
						if strings.ContainsAny(text, "\x1b\x00") || len(text) > 64<<10 {
							t.Errorf("got %.100q of %d bytes", text, len(text))
						}
					}
					if a.End.Before(a.Start) || a.Start.Year() < 2000 || a.TransferID != 0 {
						t.Errorf("got %v to %v of %d", a.Start, a.End, a.TransferID)
					}
				}
			})
			evil := d.DownloadFile(t.Context(), "b", "evil", filepath.Join(dir, "evil"))
			err := harness.Result(t, evil)
			if flood := trick == "a flood of attempts"; flood != errors.Is(err, processpool.ErrWorkerLost) {
				t.Errorf("got %v", err)
			}
			harness.Shutdown(t, d)
			if seen == 0 {
				t.Error("OnAttempt was not called")
			}
			more, _ := runtimeMemory()
			if n := int64(more - mapped); n > mostMapped {
				t.Errorf("got %d bytes more mapped, want at most %d", n, mostMapped)
			}
		})
	}
}

// writer is an io.Writer.
type writer func([]byte)

func (w writer) Write(p []byte) (int, error) {
	w(p)
	return len(p), nil
}
