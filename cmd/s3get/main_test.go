package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// patience is how long a test waits for an event. Only a hang takes that long.
const patience = 30 * time.Second

// asMain is the environment variable that makes the test binary run as s3get.
const asMain = "S3GET_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	for _, entry := range os.Environ() { // hide the settings of the machine
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "S3GET_") && name != asMain {
			os.Unsetenv(name)
		}
	}
	userConfigDir = func() (string, error) { return "", errors.New("none") }
	none := filepath.Join(os.TempDir(), "s3get-test-no-such-file")
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "any",
	} {
		os.Setenv(name, value)
	}
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func startOrigin(t *testing.T, optFns ...func(*s3test.Options)) *s3test.Server {
	t.Helper()
	if !ipc.Available {
		t.Skip("no worker processes on this platform")
	}
	origin := s3test.Start(optFns...)
	t.Cleanup(origin.Close)
	return origin
}

// get runs s3get with the origin as its endpoint.
func get(t *testing.T, ctx context.Context, origin *s3test.Server, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return runAt(t, ctx, origin, append([]string{"--endpoint", origin.URL(), "--workers", "2"}, args...))
}

// getCommand does so with a command, which comes first.
func getCommand(t *testing.T, ctx context.Context, origin *s3test.Server, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	command, rest := args[:1], args[1:]
	if strings.HasPrefix(args[0], "-") || strings.HasPrefix(args[0], scheme) {
		command, rest = nil, args
	}
	flags := []string{"--endpoint", origin.URL()}
	if len(command) == 0 || command[0] != "ls" {
		flags = append(flags, "--workers", "2")
	}
	return runAt(t, ctx, origin, slices.Concat(command, flags, rest))
}

func runAt(t *testing.T, ctx context.Context, origin *s3test.Server, args []string) (status int, stdout, stderr string) {
	t.Helper()
	type outcome struct {
		status         int
		stdout, stderr bytes.Buffer
	}
	ended := make(chan *outcome, 1)
	go func() {
		o := &outcome{}
		o.status = run(ctx, args, &o.stdout, &o.stderr)
		ended <- o
	}()
	select {
	case o := <-ended:
		return o.status, o.stdout.String(), o.stderr.String()
	case <-time.After(patience):
		origin.Close()
		t.Fatalf("s3get %q still runs after %v", args, patience)
		panic("not reached")
	}
}

func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	var got []string
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, name)
			got = append(got, filepath.ToSlash(rel))
		}
		return err
	})
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got files %q, %v, want %q", got, err, want)
	}
}

func wantText(t *testing.T, name, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%s: got %q, want it to contain %q", name, got, w)
		}
	}
}

func TestOneFile(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	data := s3test.PatternBytes(1, 3<<20)
	origin.Put("b", "d/k", data)
	t.Chdir(t.TempDir())
	for _, c := range []struct{ arg, file string }{{"", "k"}, {"file", "file"}, {"new/", ""}} {
		args := []string{"s3://b/d/k", "--chunk", "1MiB", "--threshold", "2M"}
		if c.arg != "" {
			args = append(args, c.arg)
		}
		status, stdout, stderr := get(t, t.Context(), origin, args...)
		if c.file == "" { // the directory is missing
			if status != 1 {
				t.Errorf("%s: got status %d", c.arg, status)
			}
			wantText(t, c.arg, stderr, "s3get: s3://b/d/k: ", "To do: create the directory first")
			continue
		}
		if status != 0 || stderr != "" {
			t.Errorf("%s: got status %d, %q", c.arg, status, stderr)
		}
		wantText(t, c.arg, stdout, "s3://b/d/k -> "+c.file+" (3.0 MiB, CRC64NVME full object)\n", "1 object, 3.0 MiB in ", "verified: 1 by CRC64NVME full object\n")
		if got, err := os.ReadFile(c.file); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: got %d bytes, %v", c.file, len(got), err)
		}
	}
}

func TestSeveralFiles(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "d/k", []byte("one"))
	origin.Put("c", "l", []byte("two"), s3test.WithChecksum("", ""), s3test.WithoutETag())
	out := filepath.Join(dir, "new", "out")
	status, stdout, stderr := get(t, t.Context(), origin, "s3://b/d/k", "s3://c/l", "s3://b/missing", "-d", out)
	if status != 1 {
		t.Errorf("got status %d, want 1", status)
	}
	wantText(t, "stdout", stdout, "s3://c/l -> "+filepath.Join(out, "l")+" (3 B, not verified)", "2 objects, 6 B", "; 1 failed; verified: 1 by CRC64NVME full object, 1 not\n")
	wantText(t, "stderr", stderr, "s3get: s3://b/missing: there is no such object (404 NoSuchKey, request ", "To do: check the key")
	wantFiles(t, out, "k", "l")
}

func TestRecursive(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t, func(o *s3test.Options) { o.PageSize = 2 }), t.TempDir()
	for _, key := range []string{"p/a.jpg", "p/d/b.jpg", "p/d/b.raw", "p/d/e/c.jpg", "p/tmp/x.jpg", "p2/no.jpg"} {
		origin.Put("b", key, []byte(key))
	}
	out := filepath.Join(dir, "out")
	args := []string{"--recursive", "s3://b/p", out, "--include", "*.jpg", "--exclude", "tmp/**", "--skip-unchanged"}
	status, stdout, stderr := get(t, t.Context(), origin, args...)
	if status != 0 || stderr != "" {
		t.Errorf("got status %d, %q", status, stderr)
	}
	wantText(t, "stdout", stdout, "3 objects, 27 B in ")
	wantFiles(t, out, "a.jpg", "d/b.jpg", "d/e/c.jpg")

	status, stdout, _ = get(t, t.Context(), origin, args...)
	if status != 0 {
		t.Errorf("again: got status %d", status)
	}
	wantText(t, "again", stdout, "0 objects, 0 B in ", "; 3 unchanged")

	flat := filepath.Join(dir, "flat")
	if status, _, stderr := get(t, t.Context(), origin, "-r", "--flat", "s3://b/p/", flat); status != 0 {
		t.Errorf("flat: got status %d, %q", status, stderr)
	}
	wantFiles(t, flat, "a.jpg")
}

func TestRecursiveFailures(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	for _, key := range []string{"p/../up", "p/good", "p/denied", "p/\x1b[2Jx"} {
		origin.Put("b", key, []byte(key))
	}
	origin.Inject(s3test.Fault{Key: "p/denied", Status: 403})
	origin.Inject(s3test.Fault{Key: "p/\x1b[2Jx", Status: 403})
	status, stdout, stderr := get(t, t.Context(), origin, "-r", "s3://b/p/", dir)
	if status != 1 {
		t.Errorf("got status %d, want 1", status)
	}
	wantText(t, "stdout", stdout, "1 object, 6 B in ", "; 3 failed;")
	wantText(t, "stderr", stderr, "s3get: s3://b/p/../up: ", "To do: download it separately",
		"s3get: s3://b/p/denied: access is denied (403 AccessDenied, request ", "To do: ask for the permission s3:GetObject",
		`s3get: "s3://b/p/\x1b[2Jx": access`)
	if strings.Contains(stderr, "\x1b") {
		t.Errorf("a key's escape sequence reaches the terminal: %q", stderr)
	}
	wantFiles(t, dir, "good")

	for args, want := range map[string]string{
		"-r s3://b/none":  "there is no object with this prefix",
		"-r s3://missing": "there is no such bucket",
	} {
		status, _, stderr := get(t, t.Context(), origin, append(strings.Fields(args), dir)...)
		if status != 1 {
			t.Errorf("%s: got status %d, want 1", args, status)
		}
		wantText(t, args, stderr, want, "To do: ")
	}
}

func TestQuiet(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", []byte("one"))
	status, stdout, stderr := get(t, t.Context(), origin, "--quiet", "s3://b/k", "s3://b/missing", "-d", dir)
	if status != 1 || stdout != "" || strings.Count(stderr, "s3get: ") != 1 {
		t.Errorf("got status %d, %q, %q", status, stdout, stderr)
	}
}

// TestFlags checks the effect of flags on the requests.
func TestFlags(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 100_000))
	origin.Put("b", "unproved", []byte("x"), s3test.WithChecksum("", ""), s3test.WithoutETag())
	file := filepath.Join(dir, "file")

	if status, _, stderr := get(t, t.Context(), origin, "--chunk", "25KB", "--threshold", "50KB", "--region", "eu-north-1", "s3://b/k", file); status != 0 {
		t.Fatalf("got status %d, %q", status, stderr)
	}
	ranges := 0
	for _, r := range origin.Requests() {
		if r.Range != "" {
			ranges++
		}
		wantText(t, r.Method, r.Header.Get("Authorization"), "Credential=AKIDEXAMPLE/", "/eu-north-1/s3/")
	}
	if ranges != 4 {
		t.Errorf("got %d ranges, want 4", ranges)
	}

	origin.ResetRequests()
	if status, _, stderr := get(t, t.Context(), origin, "--no-sign-request", "s3://b/k", file); status != 0 {
		t.Fatalf("got status %d, %q", status, stderr)
	}
	for _, r := range origin.Requests() {
		if got := r.Header.Get("Authorization"); got != "" {
			t.Errorf("got %q, want no signature", got)
		}
	}

	status, _, stderr := get(t, t.Context(), origin, "--verify", "required", "s3://b/unproved", file)
	if status != 1 {
		t.Errorf("got status %d, want 1", status)
	}
	wantText(t, "stderr", stderr, "s3get: s3://b/unproved: ", "To do: --verify auto downloads it without verification")
}

// A resumed download does not fetch the kept bytes again.
func TestResume(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	data := s3test.PatternBytes(1, 1000)
	origin.Put("b", "k", data)
	denied := origin.Inject(s3test.Fault{Range: "bytes=500-999", Status: 403, Times: 1})
	args := []string{"--workers", "1", "--resume", "--chunk", "500", "--threshold", "500", "s3://b/k", "-d", dir}
	if status, _, _ := get(t, t.Context(), origin, args...); status != 1 || denied.Hits() != 1 {
		t.Errorf("got status %d, want 1", status)
	}
	wantFiles(t, dir, ".k.part", ".k.part.journal")
	origin.ResetRequests()
	status, stdout, stderr := get(t, t.Context(), origin, args...)
	if status != 0 {
		t.Errorf("again: got status %d, %q", status, stderr)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "k")); err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	wantFiles(t, dir, "k")
	wantText(t, "stdout", stdout, "1 object, 1000 B in ", "; 500 B kept from earlier runs")
	for _, r := range origin.Requests() {
		if r.Range == "bytes=0-499" {
			t.Error("the first half was fetched again")
		}
	}
}

// A wrong command line starts nothing.
func TestUsage(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	origin.Put("b", "k", []byte("x"))
	t.Chdir(t.TempDir())
	for args, want := range map[string]string{
		"":                                 "nothing to download",
		"s3://b/k -":                       "standard output (-) is what s3get cat writes to",
		"s3://b/k -- -":                    "standard output (-) is what s3get cat writes to",
		"s3://b/k -d -":                    "standard output (-) is what s3get cat writes to",
		"-r s3://b/p/ -":                   "standard output (-) is what s3get cat writes to",
		"file":                             "write s3://bucket/key first",
		"s3://":                            "contains no bucket",
		"s3:///k":                          "contains no bucket",
		"s3://b":                           "add --recursive",
		"s3://b/d/":                        "add --recursive",
		"s3://b/..":                        "add a file name after it",
		"s3://b/k a b":                     "one argument too many",
		"s3://b/k a s3://b/l":              "one argument too many",
		"s3://b/k s3://b/l a":              "name a directory with -d",
		"s3://b/k s3://b/d/k":              "would both become k",
		"s3://b/k a -d b":                  "two destinations",
		"-r s3://b/p/":                     "needs a directory",
		"-r s3://b/p/ s3://b/q/ d":         "run s3get once for each",
		"--nonsense s3://b/k":              "-nonsense",
		"--workers many s3://b/k":          "-workers",
		"--workers 0 s3://b/k":             "must be at least 1",
		"--workers 100000 s3://b/k":        "MaxRequestProcesses",
		"--requests-per-worker 0 s3://b/k": "must be at least 1",
		"--workers 9999 --requests-per-worker 9999 s3://b/k": "; RequestsPerProcess",
		"--chunk 0 s3://b/k":            "must be at least 1",
		"--chunk 8XB s3://b/k":          "8MiB or 64M",
		"--threshold much s3://b/k":     "8MiB or 64M",
		"--verify maybe s3://b/k":       "auto, required or off",
		"--endpoint localhost s3://b/k": "must be a URL",
		"--include * s3://b/k":          "--recursive",
		"--skip-unchanged s3://b/k":     "--recursive",
		"-r --include [a s3://b d":      "has no end",
		"--profile none s3://b/k":       "none",
	} {
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), append([]string{"--endpoint", origin.URL()}, strings.Fields(args)...), &stdout, &stderr); status != 2 || stdout.Len() > 0 {
			t.Errorf("%s: got status %d, %q", args, status, &stdout)
		}
		wantText(t, args, stderr.String(), "s3get: ", want)
		if n := strings.Count(stderr.String(), "\n"); n != 1 {
			t.Errorf("%s: got %q, want one line", args, &stderr)
		}
	}
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	wantFiles(t, ".")
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"-help"}, &stdout, &stderr); status != 0 || stdout.String() != rootHelp() || stderr.Len() > 0 {
		t.Errorf("-help: got status %d, %q", status, &stderr)
	}
}

func TestCancel(t *testing.T) {
	for _, args := range [][]string{{"s3://b/0", "s3://b/1", "s3://b/2", "-d"}, {"-r", "s3://b/"}} {
		t.Run(args[0], func(t *testing.T) {
			leak.Check(t)
			origin, dir := startOrigin(t), t.TempDir()
			for i := range 3 {
				origin.Put("b", fmt.Sprint(i), []byte("x"))
			}
			origin.Inject(s3test.Fault{Key: "2", Gate: make(chan struct{})})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			origin.OnRequest(func(r s3test.Request) {
				if r.Key == "2" {
					cancel()
				}
			})
			status, stdout, stderr := get(t, ctx, origin, append(args, dir)...)
			if status != 130 || strings.Count(stderr, "s3get: ") != 1 {
				t.Errorf("got status %d, %q, want 130", status, stderr)
			}
			wantText(t, "stderr", stderr, "s3get: interrupted: ", "To do: ")
			wantText(t, "stdout", stdout, " canceled")
		})
	}
}
