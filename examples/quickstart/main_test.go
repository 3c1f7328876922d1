//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func TestBadArguments(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"mybucket", `"mybucket" is not a flag`},
		{"-color red", "not defined: -color"},
		{"-workers many", "-workers"},
		{"-workers 0", "-workers is 0: it must be at least 1"},
		{"-bucket b", "set -key and -file, too"},
		{"-bucket b -file f", "set -key, too"},
		{"-region us-east-1", "set -bucket, -key and -file, too"},
		{"-bucket b -key k -file f -endpoint 127.0.0.1:9000", "-endpoint is"},
		{"-bucket b -key k -file f extra", `"extra" is not a flag`},
	} {
		t.Run(test.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), strings.Fields(test.args), &stdout, &stderr); code != exitUsage {
				t.Errorf("exit code: got %d, want %d", code, exitUsage)
			}
			if got := stderr.String(); !strings.Contains(got, test.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("standard error: got %q, want one line with %q", got, test.want)
			}
			if stdout.Len() > 0 {
				t.Errorf("standard output: got %q, want nothing", stdout.String())
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-help"}, &stdout, &stderr); code != 0 || stdout.String() != usage || stderr.Len() > 0 {
		t.Errorf("got code %d, output %q and %q, want 0, the usage and nothing", code, stdout.String(), stderr.String())
	}
}

// temporary gives the demo a temporary directory of its own, so that the test sees what it leaves
// behind.
func temporary(t *testing.T) string {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	return dir
}

func TestDemo(t *testing.T) {
	leak.Check(t)
	dir := temporary(t)
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-workers", "2"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	for _, want := range []string{
		"\n100 %  256.0 of 256.0 MiB",
		"\nobject      s3://mybucket/mykey, 268435456 bytes",
		"\nverified    CRC64NVME full object\n",
		"\ncompared    equal",
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("standard output lacks %q:\n%s", want, stdout.String())
		}
	}
	leak.Files(t, dir)
}

func TestDemoCanceled(t *testing.T) {
	leak.Check(t)
	dir := temporary(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	if code := run(ctx, nil, &stdout, &stderr); code != exitFailed {
		t.Errorf("exit code: got %d, want %d", code, exitFailed)
	}
	if !strings.Contains(stderr.String(), "canceled") {
		t.Errorf("standard error: got %q, want \"canceled\" in it", stderr.String())
	}
	leak.Files(t, dir)
}

// environment sets credentials, and hides the settings of the machine.
func environment(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID":     "AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_SESSION_TOKEN":     "",
		"AWS_REGION":            "",
		"AWS_DEFAULT_REGION":    "",
	} {
		t.Setenv(name, value)
	}
}

func TestFromS3(t *testing.T) {
	leak.Check(t)
	environment(t)
	origin := s3test.Start(func(o *s3test.Options) { o.AccessKey, o.SecretKey = "AKIDEXAMPLE", "secret" })
	defer origin.Close()
	data := s3test.PatternBytes(7, 100_000)
	origin.Put("mybucket", "a/key", data)
	dir := t.TempDir()
	file := filepath.Join(dir, "myfile")
	args := []string{"-bucket", "mybucket", "-key", "a/key", "-file", file,
		"-endpoint", origin.URL(), "-region", s3test.Region, "-workers", "1"}

	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, data) {
		t.Errorf("file: %d bytes (%v), want the object's %d", len(got), err, len(data))
	}

	args[3] = "missing"
	stderr.Reset()
	if code := run(t.Context(), args, io.Discard, &stderr); code != exitFailed {
		t.Errorf("exit code for a missing object: got %d, want %d", code, exitFailed)
	}
	if got := stderr.String(); !strings.Contains(got, "404") || strings.Count(got, "\n") != 1 {
		t.Errorf("standard error: got %q, want one line with the status", got)
	}
	leak.Files(t, dir, "myfile")

	// A key's control characters do not reach the terminal.
	const hostile = "a\x1b[2J\u009b1m\nb"
	origin.Put("mybucket", hostile, data)
	for key, want := range map[string]int{hostile: 0, "missing" + hostile: exitFailed, "\x9b2J": exitFailed} {
		args[3] = key
		var out bytes.Buffer
		if code := run(t.Context(), args, &out, &out); code != want {
			t.Errorf("exit code for %q: got %d, want %d", key, code, want)
		}
		for line := range strings.SplitSeq(out.String(), "\n") {
			if !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) || line == "b" {
				t.Errorf("got %q for %q", line, key)
			}
		}
	}
}

// The region and the credentials are those of the environment; without them an error says what to
// set.
func TestEnvironment(t *testing.T) {
	leak.Check(t)
	environment(t)
	t.Setenv("AWS_SESSION_TOKEN", "token")
	t.Setenv("AWS_REGION", s3test.Region)
	origin := s3test.Start()
	defer origin.Close()
	origin.Put("mybucket", "mykey", []byte("content"))
	dir := t.TempDir()
	args := []string{"-bucket", "mybucket", "-key", "mykey", "-file", filepath.Join(dir, "myfile"),
		"-endpoint", origin.URL(), "-workers", "1"}
	var out bytes.Buffer
	if code := run(t.Context(), args, &out, &out); code != 0 {
		t.Fatalf("exit code %d: %s", code, out.String())
	}
	for _, r := range origin.Requests() {
		if got := r.Header.Get("X-Amz-Security-Token"); got != "token" {
			t.Errorf("%s: got session token %q", r.Method, got)
		}
	}
	for name, want := range map[string]string{"AWS_SECRET_ACCESS_KEY": "no credentials: set AWS_", "AWS_REGION": "no region"} {
		value := os.Getenv(name)
		os.Unsetenv(name)
		out.Reset()
		if code := run(t.Context(), args, io.Discard, &out); code != exitFailed || !strings.Contains(out.String(), want) {
			t.Errorf("without %s: got exit code %d and %q, want %q", name, code, out.String(), want)
		}
		os.Setenv(name, value)
	}
	leak.Files(t, dir, "myfile")
}

func TestCompare(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	data := s3test.PatternBytes(1, 1<<20+1)
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	other := bytes.Clone(data)
	other[1<<20] ^= 1
	failing := io.MultiReader(bytes.NewReader(data[:5]), iotest.ErrReader(errors.New("read")))
	for what, test := range map[string]struct {
		want  io.Reader
		equal bool
	}{
		"same":    {bytes.NewReader(data), true},
		"differs": {bytes.NewReader(other), false},
		"longer":  {io.MultiReader(bytes.NewReader(data), strings.NewReader("x")), false},
		"shorter": {bytes.NewReader(data[:1<<20]), false},
		"fails":   {failing, false},
	} {
		if err := compare(name, test.want); (err == nil) != test.equal {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
