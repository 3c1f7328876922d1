package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Each format names the same objects.
func TestRun(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	origin.Put("b", "d/a", []byte("a"))
	etag := origin.Put("b", "d/e/+b ü", []byte("bb")).ETag
	for name, list := range map[string]string{
		"lines":       "# a list\n\ns3://b/d/a\ncp \"s3://b/d/e/+b ü\"  # the last\n",
		"named":       "s3://b/d/a d/a\r\nget 's3://b/d/e/+b ü' 'd/e/+b ü'",
		"a.jsonl":     `{"bucket":"b","key":"d/a"}` + "\n" + `{"url":"s3://b/d/e/+b ü","size":2}`,
		"s3get.jsonl": `{"event":"object","bucket":"b","key":"d/a","size":1}` + "\n\n" + `{"event":"object","bucket":"b","key":"d/e/+b ü","etag":` + fmt.Sprintf("%q", etag) + "}\n" + `{"event":"total","objects":2}`,
		"s5cmd.jsonl": `{"key":"s3://b/d/a","etag":"","type":"file","size":1}` + "\n" + `{"key":"s3://b/d/e/","type":"directory"}` + "\n" + fmt.Sprintf(`{"key":"s3://b/d/e/+b ü","etag":%q,"type":"file","size":2}`, strings.Trim(etag, `"`)),
		"a.csv":       "key,size,bucket\nd/a,1,b\n\"d/e/+b ü\",2,b\n",
		"inv.csv":     `"b","d/a","1"` + "\n" + `"b","d/e/%2Bb+%C3%BC","2"` + "\n",
	} {
		dir := t.TempDir()
		file, out := filepath.Join(dir, name), filepath.Join(dir, "out")
		write(t, file, list)
		stdout, _ := cmd(t, origin, 0, "run", file, "-d", out)
		wantText(t, name, stdout, "2 objects, 3 B in ")
		wantFiles(t, out, "d/a", "d/e/+b ü")
		wantContent(t, filepath.Join(out, "d", "e", "+b ü"), "bb")
	}
}

func TestRunColumns(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.SetVersioning("b", true)
	first := origin.Put("b", "k", []byte("1")).VersionID
	origin.Put("b", "k", []byte("2"))
	list := filepath.Join(dir, "inventory")
	write(t, list, fmt.Sprintf("\"k\",%q,\"false\",\"1\"\n\"gone\",\"x\",\"true\",\"\"\n", first))
	cmd(t, origin, 0, "run", "--format", "csv", "--columns", "Key, VersionId, IsDeleteMarker, Size", "--bucket", "b", list, "-d", dir)
	wantContent(t, filepath.Join(dir, "k"), "1")
	_, stderr := cmd(t, origin, 1, "run", "--format", "csv", "--columns", "Key, VersionId, IsDeleteMarker, Size", list, "-d", dir)
	wantText(t, "stderr", stderr, "line 1: it has no bucket: name one with --bucket")
}

// A list that cannot be read ends the command, and says where. An object that fails does not.
func TestRunFailures(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "good", []byte("x"))
	list := filepath.Join(dir, "list")
	for text, want := range map[string]string{
		"s3://b/good\nb/k":                       "line 2: \"b/k\" is not of the form s3://bucket/key",
		"s3://b/good\n\ns3://b/k a b":            "line 3: \"b\" is one word too many",
		"s3://b/good\ns3://b/'k":                 "line 2: a quote has no end",
		"s3://b/good\ncp s3://b/* d/":            "line 2: s3://b/* has a wildcard",
		"s3://b/good\ns3://b":                    "has no key",
		"{\"bucket\":\"b\",\"key\":\"good\"}\n{": "line 2: it is no JSON object",
		"\"b\",\"good\"\n\"b\",\"%zz\"":          "line 2: the key \"%zz\" is not URL-encoded",
		"\"b\",\"good\"\n\"b\",\"x":              "line 2",
	} {
		write(t, list, text)
		out := t.TempDir()
		_, stderr := cmd(t, origin, 1, "run", list, "-d", out)
		wantText(t, text, stderr, want)
	}
	write(t, list, "s3://b/missing\ns3://b/../up\ns3://b/good\ns3://b/d/\n")
	stdout, stderr := cmd(t, origin, 1, "run", list, "-d", filepath.Join(dir, "out"))
	wantText(t, "stdout", stdout, "1 object, ", "; 3 failed")
	wantText(t, "stderr", stderr, "s3get: s3://b/missing: there is no such object", "s3get: s3://b/../up: the key has no safe path")
	cmd(t, origin, 1, "run", filepath.Join(dir, "no-such-list"))
	cmd(t, origin, 2, "run")
	cmd(t, origin, 2, "run", list, list)
}

// No link in the directory leads a key out of it.
func TestRunLink(t *testing.T) {
	leak.Check(t)
	origin, dir, outside := startOrigin(t), t.TempDir(), t.TempDir()
	origin.Put("b", "link/d/k", []byte("x"))
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "list")
	write(t, list, "s3://b/link/d/k\n")
	cmd(t, origin, 1, "run", list, "-d", dir)
	wantFiles(t, outside)
}

// A list goes on where it was: what is complete is not even asked for, if the list has the ETag.
func TestRunAgain(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	needAttributes(t, dir)
	var plain, full strings.Builder
	for i := range 5 {
		o := origin.Put("b", fmt.Sprint(i), []byte("x"))
		fmt.Fprintf(&plain, "s3://b/%d\n", i)
		fmt.Fprintf(&full, "{\"bucket\":\"b\",\"key\":\"%d\",\"etag\":%q,\"size\":1}\n", i, o.ETag)
	}
	lists := map[string]string{"plain": plain.String(), "full.jsonl": full.String()}
	for name, list := range lists {
		write(t, filepath.Join(dir, name), list)
	}
	out := filepath.Join(dir, "out")
	cmd(t, origin, 0, "run", "--resume", filepath.Join(dir, "plain"), "-d", out)
	for name := range lists {
		gets(origin)
		stdout, _ := cmd(t, origin, 0, "run", "--resume", filepath.Join(dir, name), "-d", out)
		wantText(t, name, stdout, "0 objects, ", "; 5 unchanged")
		if n := gets(origin); n > 0 {
			t.Errorf("%s: got %d GetObjects", name, n)
		}
	}
	cmd(t, origin, 0, "run", "--shard", "0/3", filepath.Join(dir, "plain"), "-d", filepath.Join(dir, "shard"))
	cmd(t, origin, 0, "run", "--shard", "1/3", filepath.Join(dir, "plain"), "-d", filepath.Join(dir, "shard"))
	cmd(t, origin, 0, "run", "--shard", "2/3", filepath.Join(dir, "plain"), "-d", filepath.Join(dir, "shard"))
	if n := gets(origin); n != 5 {
		t.Errorf("three shards: got %d GetObjects, want 5", n)
	}
	wantFiles(t, filepath.Join(dir, "shard"), "0", "1", "2", "3", "4")
}

// Ctrl-C ends a list that nobody writes to any more, and so does the first failure, if it is to.
func TestRunInterrupted(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", []byte("x"))
	for _, flag := range []string{"--resume", "--stop-on-error"} {
		in, typed, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		former := os.Stdin
		os.Stdin = in
		ctx, cancel := context.WithCancel(t.Context())
		want := 1
		if flag == "--resume" {
			want = 130
			origin.OnRequest(func(s3test.Request) { cancel() })
		}
		fmt.Fprint(typed, "s3://b/k\ns3://b/missing\n")
		status, _, stderr := getCommand(t, ctx, origin, "run", flag, "-", "-d", dir)
		if status != want {
			t.Errorf("%s: got status %d, want %d: %s", flag, status, want, stderr)
		}
		cancel()
		os.Stdin = former
		typed.Close()
		in.Close()
		origin.OnRequest(func(s3test.Request) {})
	}
}
