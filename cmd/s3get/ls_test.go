package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// names returns the last word of each line.
func names(text string) (names []string) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		names = append(names, fields[len(fields)-1])
	}
	return names
}

func TestList(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t, func(o *s3test.Options) { o.PageSize = 2 })
	for _, key := range []string{"a", "p/1.gz", "p/2.txt", "p/d/3.gz", "p/d/4.gz", "p/z", "q/+ &ü", "\x1b[2J"} {
		origin.Put("b", key, make([]byte, 2000))
	}
	for _, c := range []struct{ args, want string }{
		{"s3://b/p/", "p/1.gz p/2.txt p/d/ p/z"},
		{"s3://b/p/d", "p/d/"},
		{"-r s3://b/p/", "p/1.gz p/2.txt p/d/3.gz p/d/4.gz p/z"},
		{"s3://b/p/*.gz", "p/1.gz p/d/3.gz p/d/4.gz"},
		{"-r --exclude d/** --include *.gz s3://b/p/", "p/1.gz"},
		{"s3://b/p/?.gz s3://b/a", "p/1.gz a"},
		{"s3://b/q/", "&ü"},
	} {
		stdout, _ := cmd(t, origin, 0, append([]string{"ls"}, strings.Fields(c.args)...)...)
		if got := strings.Join(names(stdout), " "); got != c.want {
			t.Errorf("%s: got %q, want %q", c.args, got, c.want)
		}
	}
	stdout, _ := cmd(t, origin, 0, "ls", "-r", "-H", "--total", "s3://b")
	wantText(t, "human", stdout, "2.0 KiB a\n", "8 objects, 15.6 KiB\n")
	wantHarmless(t, "human", stdout)
	stdout, _ = cmd(t, origin, 0, "ls", "--total", "s3://b/p/")
	wantText(t, "exact", stdout, " 2000 p/z\n", "3 objects, 6000\n")

	first, _ := cmd(t, origin, 0, "ls", "--shard", "0/2", "-r", "s3://b/")
	second, _ := cmd(t, origin, 0, "ls", "--shard", "1/2", "-r", "s3://b/")
	if n := len(names(first)) + len(names(second)); n != 8 || first == "" || second == "" {
		t.Errorf("the two halves have %d objects: %q, %q", n, first, second)
	}

	stdout, _ = cmd(t, origin, 0, "ls", "--json", "--total", "s3://b/p/")
	events := eventsOf(t, stdout)
	wantEvent(t, "object", events["object"], map[string]any{"bucket": "b", "key": "p/z", "size": 2000.0, "storageClass": "STANDARD"})
	wantEvent(t, "prefix", events["prefix"], map[string]any{"bucket": "b", "prefix": "p/d/"})
	wantEvent(t, "total", events["total"], map[string]any{"objects": 3.0, "bytes": 6000.0})

	for args, want := range map[string]string{"s3://missing/": "there is no such bucket", "s3://b/none": "there is no object with this prefix"} {
		_, stderr := cmd(t, origin, 1, "ls", args)
		wantText(t, args, stderr, want)
	}
	cmd(t, origin, 2, "ls", "b/p")
	cmd(t, origin, 2, "ls")
}

// A page is printed before the next one is asked for.
func TestListStreams(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t, func(o *s3test.Options) { o.PageSize = 1 })
	origin.Put("b", "a", []byte("x"))
	origin.Put("b", "z", []byte("x"))
	var stdout, stderr bytes.Buffer
	before := ""
	origin.Inject(s3test.Fault{Skip: 1, Status: 403, Do: func(*s3test.Server, s3test.Request) { before = stdout.String() }})
	if status := run(t.Context(), []string{"ls", "--endpoint", origin.URL(), "-r", "s3://b/"}, &stdout, &stderr); status != 1 {
		t.Errorf("got status %d", status)
	}
	if got := names(before); len(got) != 1 || got[0] != "a" {
		t.Errorf("got %q when the second page was asked for, want the first", before)
	}
	wantText(t, "stderr", stderr.String(), "s3:ListBucket")
}
