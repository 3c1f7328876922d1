package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// eventsOf parses the lines of --json. The last event of a kind counts.
func eventsOf(t *testing.T, stdout string) map[string]map[string]any {
	t.Helper()
	wantSchema(t, stdout)
	events := map[string]map[string]any{}
	for line := range strings.Lines(stdout) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		events[e["event"].(string)] = e
	}
	return events
}

func wantEvent(t *testing.T, event string, got, want map[string]any) {
	t.Helper()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: got %v for %s, want %v", event, got[name], name, value)
		}
	}
}

func TestJSON(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "p/k <&>", []byte("one"))
	origin.Put("b", "denied", []byte("one"))
	origin.Inject(s3test.Fault{Method: "GET", Key: "denied", Status: 403})
	status, stdout, stderr := get(t, t.Context(), origin, "--json", "s3://b/p/k <&>", "s3://b/denied", "-d", dir)
	if status != 1 || stderr != "" {
		t.Errorf("got status %d, %q", status, stderr)
	}
	events := eventsOf(t, stdout)
	wantEvent(t, "file", events["file"], map[string]any{
		"bucket": "b", "key": "p/k <&>", "file": filepath.Join(dir, "k <&>"), "size": 3.0, "verified": "CRC64NVME full object"})
	wantEvent(t, "error", events["error"], map[string]any{
		"bucket": "b", "key": "denied", "object": "s3://b/denied", "file": filepath.Join(dir, "denied"),
		"code": "AccessDenied", "status": 403.0, "op": "get"})
	wantEvent(t, "summary", events["summary"], map[string]any{"done": 1.0, "failed": 1.0, "bytes": 3.0, "resumed": 0.0})
	for _, name := range []string{"requestId", "what", "todo", "error"} {
		if text, _ := events["error"][name].(string); text == "" {
			t.Errorf("error: got no %s", name)
		}
	}
}

// An error of a listing has the bucket and the prefix.
func TestJSONListing(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", []byte("one"))
	_, stdout, _ := get(t, t.Context(), origin, "--json", "-r", "s3://missing/p", dir)
	wantEvent(t, "error", eventsOf(t, stdout)["error"], map[string]any{
		"bucket": "missing", "key": "p/", "code": "NoSuchBucket", "status": 404.0, "op": "list"})
	_, stdout, _ = get(t, t.Context(), origin, "--json", "-r", "s3://b/p", dir)
	wantEvent(t, "error", eventsOf(t, stdout)["error"], map[string]any{"bucket": "b", "key": "p/", "code": "NothingFound"})
}

// With --json, errors of the command line are JSON, too, wherever --json is.
func TestJSONUsage(t *testing.T) {
	leak.Check(t)
	for args, want := range map[string]string{
		"--json":                         "nothing to download",
		"--json s3://b":                  "add --recursive",
		"s3://b/k - --json":              "standard output",
		"--nonsense s3://b/k --json":     "-nonsense",
		"--workers many --json":          "-workers",
		"--- --json":                     "---",
		"--json --workers":               "-workers",
		"--json --quiet s3://b/k":        "contradict",
		"--json --workers 9999 s3://b/k": "MaxRequestProcesses",
	} {
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), strings.Fields(args), &stdout, &stderr)
		if status != 2 || stderr.Len() > 0 {
			t.Errorf("%s: got status %d, %q", args, status, &stderr)
		}
		e := eventsOf(t, stdout.String())["error"]
		wantEvent(t, args, e, map[string]any{"code": "Usage"})
		what, _ := e["what"].(string)
		wantText(t, args, what, want)
	}
	var stdout, stderr bytes.Buffer
	if run(t.Context(), strings.Fields("--nonsense s3://b/k -- --json"), &stdout, &stderr); stdout.Len() > 0 {
		t.Errorf("got %q, want text", &stdout)
	}
}
