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

func TestParseSource(t *testing.T) {
	leak.Check(t)
	for text, want := range map[string]source{
		"s3://b":            {bucket: "b"},
		"s3://b/a b?c#d%20": {bucket: "b", key: "a b?c#d%20"},
		"s3://b//k":         {bucket: "b", key: "/k"},
		"s3://arn:aws:s3:eu-west-1:111122223333:accesspoint/ap/k/l": {
			bucket: "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap", key: "k/l"},
	} {
		if got, err := parseSource(text); got != want || err != nil {
			t.Errorf("%s: got %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestSize(t *testing.T) {
	leak.Check(t)
	for text, want := range map[string]int64{
		"1": 1, "8388608": 8 << 20, "8MiB": 8 << 20, "64M": 64 << 20, "64m": 64 << 20, "5 MB": 5e6, "1k": 1 << 10,
		"3KB": 3000, "2GiB": 2 << 30, "1T": 1 << 40, "7b": 7,
	} {
		var got size
		if err := got.Set(text); err != nil || int64(got) != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "M", "8 Mi B", "1.5M", "8MiB8", "8XB", "9999999T", "0x10"} {
		var got size
		if err := got.Set(text); err == nil {
			t.Errorf("%s: got %d, want an error", text, got)
		}
	}
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1<<20 - 1: "1.0 MiB", 5 << 40: "5.0 TiB", 1<<63 - 1: "8192.0 PiB",
	} {
		if got := human(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
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
		{"2024/**", "2024/a 2024/a/b", "20245 d/2024/a"},
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
