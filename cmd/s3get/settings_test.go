package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// The command line comes before the environment, and that before the file.
func TestDefaults(t *testing.T) {
	leak.Check(t)
	file := filepath.Join(t.TempDir(), "config")
	write(t, file, "# defaults\n\nworkers = 3\nchunk=1MiB\nretry = 2\nexclude = *.tmp\nexclude = *.log\ndelete = true\nlog-level = warn\n")
	t.Setenv("S3GET_CONFIG", file)
	usual, former := filepath.Join(t.TempDir(), "s3get", "config"), userConfigDir
	write(t, usual, "nice = 3\n")
	t.Setenv("S3GET_WORKERS", "4")
	t.Setenv("S3GET_CHUNK", "2MiB")
	t.Setenv("S3GET_REQUESTS_PER_WORKER", "5")
	a, err := parse(strings.Fields("--workers 6 s3://b/k"))
	if err != nil {
		t.Fatal(err)
	}
	if a.workers != 6 || a.chunk != 2<<20 || a.retry != 2 || a.requests != 5 || strings.Join(a.exclude, " ") != "*.tmp *.log" || a.logLevel != "warn" || a.deleteExtra {
		t.Errorf("got %+v", a)
	}
	t.Setenv("S3GET_CONFIG", "")
	userConfigDir = func() (string, error) { return filepath.Dir(filepath.Dir(usual)), nil }
	defer func() { userConfigDir = former }()
	if a, err := parse([]string{"s3://b/k"}); err != nil || a.nice != 3 {
		t.Errorf("the usual place: got %+v, %v", a, err)
	}
	other := filepath.Join(t.TempDir(), "other")
	write(t, other, "nice = 7\n")
	if a, err := parse([]string{"--config", other, "s3://b/k"}); err != nil || a.nice != 7 || a.retry != 0 {
		t.Errorf("--config: got %+v, %v", a, err)
	}
	if _, err := parse([]string{"--config", filepath.Join(t.TempDir(), "none"), "s3://b/k"}); err == nil {
		t.Error("--config: a file that is missing is no error")
	}
}

// Faults of defaults name where they are.
func TestDefaultsFaults(t *testing.T) {
	leak.Check(t)
	for text, want := range map[string]string{
		"workers":       ":1: \"workers\" is not of the form name = value",
		"\nworker = 1":  ":2: \"worker\" is no flag of s3get",
		"workers = x":   ":1: \"x\" for workers",
		"help = true":   ":1: \"help\" is no flag",
		"config = x":    ":1: \"config\" is no flag",
		"verify = ever": "want auto, required or off",
	} {
		file := filepath.Join(t.TempDir(), "config")
		write(t, file, text)
		_, err := parse([]string{"--config", file, "s3://b/k"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	t.Setenv("S3GET_WORKERS", "many")
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"s3://b/k"}, &stdout, &stderr); status != 2 {
		t.Errorf("got status %d", status)
	}
	wantText(t, "stderr", stderr.String(), `S3GET_WORKERS: "many" for workers: `)
}

// The flags of Go's package flag are understood, as they were.
func TestModern(t *testing.T) {
	leak.Check(t)
	p := &program{arguments: newArguments()}
	root := p.commands()
	for args, want := range map[string]string{
		"-chunk=64M -recursive s3://b/k":  "--chunk=64M --recursive s3://b/k",
		"--d dir --q --r":                 "-d dir -q -r",
		"-help":                           "--help",
		"-rq -d dir":                      "-rq -d dir",
		"--json -nonsense":                "--json -nonsense",
		"s3://b/k -- -recursive --d":      "s3://b/k -- -recursive --d",
		"sync -if-changed -exclude=*.tmp": "sync --if-changed --exclude=*.tmp",
	} {
		if got := strings.Join(modern(strings.Fields(args), root), " "); got != want {
			t.Errorf("%s: got %q, want %q", args, got, want)
		}
	}
}

func TestVersionAndCompletion(t *testing.T) {
	leak.Check(t)
	for args, want := range map[string]string{
		"version":                   "s3get ",
		"--version":                 "s3get ",
		"completion bash":           "bash completion V2 for s3get",
		"completion zsh":            "#compdef s3get",
		"completion fish":           "fish completion for s3get",
		"__complete --verify ":      "required\n",
		"__complete sync --verify ": "required\n",
		"__complete s":              "sync\t",
		"sync --help":               "--delete",
		"cat -h":                    "in bounded memory",
		"help run":                  "jsonl",
	} {
		var stdout, stderr bytes.Buffer
		words := strings.Fields(args)
		if strings.HasSuffix(args, " ") {
			words = append(words, "")
		}
		if status := run(t.Context(), words, &stdout, &stderr); status != 0 {
			t.Errorf("%s: got status %d, %q", args, status, &stderr)
		}
		wantText(t, args, stdout.String(), want)
	}
	for _, args := range []string{"version x", "sync", "sync s3://b/p/", "sync s3://b/p/ s3://b/q/ d", "clean"} {
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), strings.Fields(args), &stdout, &stderr); status != 2 {
			t.Errorf("%s: got status %d, %q", args, status, &stdout)
		}
	}
}

func TestClean(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", []byte("0123456789"))
	origin.Inject(s3test.Fault{Range: "bytes=5-9", Status: 403})
	if status, _, _ := get(t, t.Context(), origin, "--workers", "1", "--resume", "--chunk", "5", "--threshold", "5", "s3://b/k", "-d", dir); status != 1 {
		t.Fatalf("got status %d, want 1", status)
	}
	// Files of somebody else, although they have such names.
	write(t, filepath.Join(dir, "mine.01234567"), "x")
	write(t, filepath.Join(dir, ".mine.part"), "x")
	run2 := func(args ...string) string {
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), append([]string{"clean"}, args...), &stdout, &stderr); status != 0 {
			t.Errorf("%q: got status %d, %q", args, status, &stderr)
		}
		return stdout.String()
	}
	wantText(t, "too new", run2(dir), "there is nothing to remove")
	text := run2("--older-than", "-1h", dir)
	wantText(t, "dry run", text, "would delete "+filepath.Join(dir, ".k.part")+"\n", "dry run: 2 files")
	if strings.Contains(text, "mine") {
		t.Errorf("got %q", text)
	}
	wantFiles(t, dir, ".k.part", ".k.part.journal", ".mine.part", "mine.01234567")
	wantText(t, "force", run2("--older-than", "-1h", "--force", dir), "2 files removed")
	wantFiles(t, dir, ".mine.part", "mine.01234567")
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"clean", filepath.Join(dir, "none")}, &stdout, &stderr); status != 1 || !strings.Contains(stderr.String(), "none") {
		t.Errorf("no directory: got status %d, %q", status, &stderr)
	}
}
