//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func two(c *processpool.Config) { c.MaxRequestProcesses = 2 }

func TestDemo(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	var out bytes.Buffer
	if err := demo(t.Context(), &out, two); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"100 %  268435456 of 268435456 bytes\n", "\nverified    CRC64NVME full object\n", "\ncompared    equal"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, &out)
		}
	}
	leak.Files(t, dir)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := demo(ctx, &out, two); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("canceled: got %v", err)
	}
	leak.Files(t, dir)
}

func TestDownload(t *testing.T) {
	leak.Check(t)
	origin, dir := s3test.Start(), t.TempDir()
	defer origin.Close()
	data := s3test.PatternBytes(7, 100_000)
	const hostile = "a\x1b[2J\u009b1m\nb"
	var out bytes.Buffer
	for _, key := range []string{"a/key", hostile} {
		origin.Put("mybucket", key, data)
		file := filepath.Join(dir, strings.ReplaceAll(key, "/", "-"))
		if err := download(t.Context(), origin.Config(), "mybucket", key, file, &out, two); err != nil {
			t.Errorf("%q: %v", key, err)
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%q: got %d bytes, %v, want the object's %d", key, len(got), err, len(data))
		}
	}
	for line := range strings.SplitSeq(out.String(), "\n") {
		if strings.ContainsFunc(line, unicode.IsControl) {
			t.Errorf("a control character reaches the terminal: %q", line)
		}
	}
	if err := download(t.Context(), origin.Config(), "mybucket", "missing", filepath.Join(dir, "none"), &out, two); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("missing object: got %v", err)
	}
	if err := download(t.Context(), aws.Config{}, "mybucket", "a/key", filepath.Join(dir, "none"), &out, two); err == nil || !strings.Contains(err.Error(), "no region") {
		t.Errorf("no region: got %v", err)
	}
	leak.Files(t, dir, "a-key", hostile)
}
