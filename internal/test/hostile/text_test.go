package hostile_test

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// What a server says does not act on a terminal: neither in an error nor in the log of a TextHandler.
func TestHostileText(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	const text = "\u009b31m\u202egpj\u2066 end"
	origin.Put("b", "k"+text, harness.Content)
	origin.Inject(s3test.Fault{Times: 1, Status: 503, Code: "SlowDown", Message: text})
	origin.Inject(s3test.Fault{Times: 1, Status: 503, Code: "SlowDown", Message: text})
	origin.Inject(s3test.Fault{Method: "GET", Status: 403, Code: "Access" + text, Message: text})
	var log harness.Log
	harness.Hurry(t, 1000)
	d := harness.NewDownloader(t, origin, func(c *processpool.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	for _, err := range []error{
		harness.Download(t, d, "k"+text, filepath.Join(dir, "file"), harness.SkipHead),
		harness.Directory(t, d, "", dir).Result(),
	} {
		if err == nil {
			t.Error("got no error")
			continue
		}
		wantPlain(t, "error", err.Error())
	}
	wantPlain(t, "log", log.String())
	if !strings.Contains(log.String(), `\u009b31m`) {
		t.Errorf("got a log without the text:\n%s", log.String())
	}
}

func wantPlain(t *testing.T, what, text string) {
	t.Helper()
	for _, r := range "\u009b\u202e\u2066\x1b" {
		if i := strings.IndexRune(text, r); i >= 0 {
			t.Errorf("%s: got %U in %q", what, r, text[max(0, i-50):])
		}
	}
}
