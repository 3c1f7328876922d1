package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
)

func TestParse(t *testing.T) {
	leak.Check(t)
	t.Chdir(t.TempDir())
	if err := os.Mkdir("there", 0o777); err != nil {
		t.Fatal(err)
	}
	a, err := parse(strings.Fields("s3://b/d/k --workers 3 -chunk=64M --threshold 1GiB --requests-per-worker 2 --verify required" +
		" --endpoint http://h:1 --region r --profile p -q -d out s3://b2/k%2?"))
	if err != nil {
		t.Fatal(err)
	}
	if a.workers != 3 || a.chunk != 64<<20 || a.threshold != 1<<30 || a.requests != 2 || a.verify.VerifyMode != processpool.VerifyRequired ||
		a.endpoint != "http://h:1" || a.region != "r" || a.profile != "p" || !a.quiet {
		t.Errorf("got %+v", a)
	}
	for _, c := range []struct {
		args string
		want string // the files, separated by spaces
	}{
		{"s3://b/k", "k"},
		{"s3://b/d/k", "k"},
		{"s3://b/d/k file", "file"},
		{"s3://b/d/k some/file", "some/file"},
		{"s3://b/d/k there", "there/k"},
		{"s3://b/d/k new/", "new/k"},
		{"s3://b/d/k -d out", "out/k"},
		{"-d out s3://b/d/k s3://b/l", "out/k out/l"},
		{"s3://b/k -- -x", "-x"},
		{"s3://arn:aws:s3:eu-west-1:111122223333:accesspoint/ap/d/k", "k"},
	} {
		a, err := parse(strings.Fields(c.args))
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		var got []string
		for _, s := range a.sources {
			got = append(got, filepath.ToSlash(s.filename))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %q, want %q", c.args, got, c.want)
		}
	}
	for args, want := range map[string]source{
		"-r s3://b dir":                    {bucket: "b"},
		"-r s3://b/ dir":                   {bucket: "b"},
		"--recursive s3://b/p/ dir":        {bucket: "b", key: "p/"},
		"-recursive s3://b/p -d dir":       {bucket: "b", key: "p/"},
		"-r --include *.jpg s3://b/p/ dir": {bucket: "b", key: "p/"},
	} {
		if a, err := parse(strings.Fields(args)); err != nil || len(a.sources) != 1 || a.sources[0] != want || a.dir != "dir" {
			t.Errorf("%s: got %+v, %v, want %v", args, a, err, want)
		}
	}
}

// The flags of the pool reach the library.
func TestConfigure(t *testing.T) {
	leak.Check(t)
	a, err := parse(strings.Fields("--limit-rate 50M/s --adaptive --direct-io --nice 5 --retry 7 --sandbox required --workers 3 --requests-per-worker 2 s3://b/k"))
	if err != nil {
		t.Fatal(err)
	}
	var c processpool.Config
	(&program{arguments: a}).configure(&c)
	if c.MaxBytesPerSecond != 50<<20 || !c.Adaptive || !c.DirectIO || c.Nice != 5 || c.MaxAttempts != 7 ||
		c.Sandbox != processpool.SandboxRequired || c.MaxRequestProcesses != 3 || c.RequestsPerProcess != 2 {
		t.Errorf("got %+v", c)
	}
	for _, text := range []string{"0", "fast", "1M/h"} {
		if _, err := parse([]string{"--limit-rate", text, "s3://b/k"}); err == nil || !strings.Contains(err.Error(), "--limit-rate") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestGlob(t *testing.T) {
	leak.Check(t)
	for _, c := range []struct {
		glob, yes, no string
	}{
		{"*.jpg", "a.jpg d/b.jpg .jpg", "a.jpeg jpg d.jpg/e"},
		{"2024/*", "2024/a", "2024/a/b 2024 d/2024/a"},
		{"2024/**", "2024/a 2024/a/b 2024", "20245 d/2024/a"},
		{"d/a**z", "d/az d/abz", "d/a/z"},
		{"**/2024/*", "2024/a d/2024/a d/e/2024/a", "2024/a/b 12024/a"},
		{"img_?.[jp]*", "img_1.jpg img_x.png", "img_12.jpg img_1.gif"},
		{"[!a]", "b", "a d/a"},
		{"d/[!a]x", "d/bx", "d/ax d/b/x"},
		{"*.{jpg,png}", "a.jpg d/b.png", "a.gif {jpg,png}"},
		{"[a-c]*", "a bx", "d"},
		{`\*`, "* d/*", "a"},
		{"ü*日", "ü日 d/üxx日", "u日"},
		{"a.b", "a.b", "axb"},
	} {
		var g globs
		if err := g.Set(c.glob); err != nil {
			t.Errorf("%s: %v", c.glob, err)
			continue
		}
		for _, name := range strings.Fields(c.yes) {
			if !g.match(name) {
				t.Errorf("%s: does not match %q", c.glob, name)
			}
		}
		for _, name := range strings.Fields(c.no) {
			if g.match(name) {
				t.Errorf("%s: matches %q", c.glob, name)
			}
		}
	}
	for _, text := range []string{"", "[a", "[]", "{a"} {
		if err := new(globs).Set(text); err == nil {
			t.Errorf("%s: got no error", text)
		}
	}
}
