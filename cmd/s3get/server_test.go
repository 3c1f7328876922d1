package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// The advice fits what the server says to each request. The answer to a HeadObject has no body, so
// that the advice may have to name several causes, but the right one is among them.
func TestAdviceForAnswers(t *testing.T) {
	leak.Check(t)
	for name, c := range map[string]struct {
		fault     s3test.Fault
		todo, not string
	}{
		"access key": {s3test.Fault{Status: 403, Code: "InvalidAccessKeyId"}, "check the access key", ""},
		"secret":     {s3test.Fault{Status: 403, Code: "SignatureDoesNotMatch"}, "its secret", ""},
		"permission": {s3test.Fault{Status: 403, Code: "AccessDenied"}, "s3:GetObject", ""},
		"clock":      {s3test.Fault{Status: 403, Code: "RequestTimeTooSkewed"}, "clock", ""},
		"session":    {s3test.Fault{Status: 400, Code: "ExpiredToken"}, "log in again", ""},
		"elsewhere":  {s3test.Fault{Status: 301, Code: "MovedPermanently", Header: map[string]string{"Location": "https://127.0.0.1:1/b/k"}}, "check --endpoint", "set its region"},
	} {
		t.Run(name, func(t *testing.T) {
			origin, dir := startOrigin(t), t.TempDir()
			origin.Put("b", "k", []byte("x"))
			origin.Inject(c.fault)
			status, _, stderr := get(t, t.Context(), origin, "s3://b/k", filepath.Join(dir, "file"))
			if status != 1 {
				t.Errorf("got status %d, want 1", status)
			}
			wantText(t, "stderr", stderr, "To do: ", c.todo)
			if c.not != "" && strings.Contains(stderr, c.not) {
				t.Errorf("got %q, want no %q", stderr, c.not)
			}
			wantFiles(t, dir)
		})
	}
	origin, dir := startOrigin(t), t.TempDir()
	status, _, stderr := get(t, t.Context(), origin, "s3://missing/k", filepath.Join(dir, "file"))
	if status != 1 {
		t.Errorf("missing bucket: got status %d, want 1", status)
	}
	wantText(t, "missing bucket", stderr, "no such bucket", "To do: check the bucket's name")
}
