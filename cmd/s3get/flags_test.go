package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A wildcard stands for slashes, too. Files keep the path behind the last slash before it.
func TestWildcard(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	for _, key := range []string{"l/2026-1/a.gz", "l/2026-1/d/b.gz", "l/2026-2/c.txt", "l/2025/d.gz", "l/[x]*.gz", "m"} {
		origin.Put("b", key, []byte("x"))
	}
	for _, c := range []struct{ args, want string }{
		{"s3://b/l/2026-*.gz", "2026-1/a.gz 2026-1/d/b.gz"},
		{"s3://b/l/2026-?/*", "2026-1/a.gz 2026-1/d/b.gz 2026-2/c.txt"},
		{"s3://b/l/2026-?/* --exclude d/** --include *.gz", "2026-1/a.gz 2026-1/d/b.gz"},
		{"s3://b/l/2026-?/* --exclude **/d/** --include *.gz", "2026-1/a.gz"},
		{"s3://b/l/[x]?.gz", "[x]*.gz"},
		{"s3://b/l/2025* s3://b/m", "2025/d.gz m"},
		{"--raw s3://b/l/[x]*.gz", "[x]*.gz"},
	} {
		dir := t.TempDir()
		cmd(t, origin, 0, append(strings.Fields(c.args), "-d", dir)...)
		wantFiles(t, dir, strings.Fields(c.want)...)
	}
	_, stderr := cmd(t, origin, 1, "s3://b/none*", t.TempDir())
	wantText(t, "none", stderr, "there is no object")
	_, stderr = cmd(t, origin, 2, "-r", "s3://b/l/2026*", t.TempDir())
	wantText(t, "recursive", stderr, "has a wildcard")
	_, stderr = cmd(t, origin, 2, "--range", "0-1", "s3://b/l/2026*", t.TempDir())
	wantText(t, "range", stderr, "--range needs a single object")
}

// The bytes must have the digests of --checksum, and of a list.
func TestChecksum(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", []byte("0123456789"))
	right := "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882" // printf 0123456789 | sha256sum
	wrong := strings.Repeat("0", 64)
	file, list := filepath.Join(dir, "file"), filepath.Join(dir, "list.jsonl")
	cmd(t, origin, 0, "--checksum", "sha256:"+right, "--checksum", "SHA256:hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII=", "s3://b/k", file)
	_, stderr := cmd(t, origin, 1, "--checksum", "sha256:"+wrong, "s3://b/k", file)
	wantText(t, "wrong", stderr, "s3get: s3://b/k: ", "checksum")
	for text, want := range map[string]string{"sha256": "want an algorithm", "sha3:" + right: "want an algorithm", "sha256:00": "has 32 bytes", "md5:x": "has 16 bytes"} {
		_, stderr := cmd(t, origin, 2, "--checksum", text, "s3://b/k", file)
		wantText(t, text, stderr, want)
	}
	write(t, list, `{"url":"s3://b/k","checksum":"sha256:`+right+`"}`)
	cmd(t, origin, 0, "run", list, "-d", dir)
	write(t, list, `{"url":"s3://b/k","checksum":"sha256:`+wrong+`"}`)
	cmd(t, origin, 1, "run", list, "-d", dir)
	write(t, list, `{"url":"s3://b/k","checksum":"none"}`)
	_, stderr = cmd(t, origin, 1, "run", list, "-d", dir)
	wantText(t, "list", stderr, `the checksum "none": want an algorithm`)
}

func TestDryRun(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "p/k", []byte("123"))
	origin.Put("b", "p/../x", []byte("123"))
	out := filepath.Join(dir, "out")
	stdout, _ := cmd(t, origin, 0, "--dry-run", "s3://b/p/k", "-d", out)
	wantText(t, "object", stdout, "would download s3://b/p/k -> "+filepath.Join(out, "k")+"\n", "dry run: 1 step, 0 B\n")
	stdout, _ = cmd(t, origin, 0, "--dry-run", "s3://b/p/k*", out)
	wantText(t, "wildcard", stdout, "would download s3://b/p/k -> "+filepath.Join(out, "k")+" (3 B)\n", "dry run: 1 step, 3 B\n")
	stdout, _ = cmd(t, origin, 0, "--dry-run", "--json", "s3://b/p/k*", out)
	wantEvent(t, "plan", eventsOf(t, stdout)["plan"], map[string]any{"action": "download", "key": "p/k", "file": filepath.Join(out, "k"), "size": 3.0})
	list := filepath.Join(dir, "list")
	write(t, list, "s3://b/p/k\n")
	cmd(t, origin, 0, "run", "--dry-run", list, "-d", out)
	wantFiles(t, dir, "list")
	if n := gets(origin); n > 0 {
		t.Errorf("got %d GetObjects", n)
	}
}

func TestObjectFlags(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.SetVersioning("b", true)
	first := origin.Put("b", "k", []byte("0123456789")).VersionID
	origin.Put("b", "k", []byte("abcdefghij"))
	file := filepath.Join(dir, "file")
	for args, want := range map[string]string{
		"--version-id " + first:                   "0123456789",
		"--range 2-4":                             "cde",
		"--range 7-":                              "hij",
		"--range 9-9 --version-id " + first:       "9",
		"--request-payer":                         "abcdefghij",
		"--request-payer=requester --retry 1":     "abcdefghij",
		"--sandbox off --nice 1 --direct-io":      "abcdefghij",
		"--verify checksums --log-level debug -q": "abcdefghij",
	} {
		cmd(t, origin, 0, append(strings.Fields(args), "s3://b/k", file)...)
		wantContent(t, file, want)
		if payer := origin.Requests()[0].Header.Get("X-Amz-Request-Payer"); (payer != "") != strings.Contains(args, "payer") {
			t.Errorf("%s: got payer %q", args, payer)
		}
		origin.ResetRequests()
	}
	stdout, stderr := cmd(t, origin, 0, "--stat", "--log-level", "debug", "s3://b/k", file)
	wantText(t, "stat", stdout, "\n2 requests (1 HeadObject, 1 GetObject), 0 retries (0 throttled), ", "sandbox: ")
	wantText(t, "log", stderr, "level=DEBUG", "key=k")
	for args, want := range map[string]string{
		"--range 5":                 "want the first and the last byte",
		"--range 5-4":               "want the first and the last byte",
		"--range -5":                "want the first and the last byte",
		"--request-payer=me":        "want requester",
		"--log-level loud":          "want off, debug",
		"--sandbox perhaps":         "want auto, required",
		"--nice 20":                 "Nice is 20",
		"--retry -1":                "--retry is -1",
		"--range 0-1 s3://b/l":      "needs a single object",
		"--version-id x -r":         "needs a single object",
		"--no-clobber --if-changed": "contradict each other",
	} {
		_, stderr := cmd(t, origin, 2, append(strings.Fields(args), "s3://b/k", "-d", dir)...)
		wantText(t, args, stderr, want)
	}
}

// An archived object is counted apart, and with --skip-archived it is no failure.
func TestArchived(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	for _, key := range []string{"p/a", "p/b", "p/cold"} {
		origin.Put("b", key, []byte("x"))
	}
	origin.Inject(s3test.Fault{Method: "GET", Key: "p/cold", Status: 403, Code: "InvalidObjectState"})
	for _, args := range []string{"-r s3://b/p/", "s3://b/p/a s3://b/p/b s3://b/p/cold -d"} {
		stdout, stderr := cmd(t, origin, 1, append(strings.Fields(args), t.TempDir())...)
		wantText(t, args, stdout, "2 objects, ", "; 1 archived; 1 failed")
		wantText(t, args, stderr, "s3get: 1 object: archived", "--skip-archived")
		stdout, stderr = cmd(t, origin, 0, append(strings.Fields("--skip-archived "+args), t.TempDir())...)
		if wantText(t, args, stdout, "2 objects, ", "; 1 archived"); stderr != "" || strings.Contains(stdout, "failed") {
			t.Errorf("%s: got %q, %q", args, stdout, stderr)
		}
	}
}

func TestStopOnError(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Inject(s3test.Fault{Key: "slow", Gate: make(chan struct{})})
	origin.Put("b", "slow", []byte("x"))
	stdout, _ := cmd(t, origin, 1, "--stop-on-error", "s3://b/slow", "s3://b/missing", "-d", dir)
	wantText(t, "stdout", stdout, "; 1 failed; 1 canceled")
}
