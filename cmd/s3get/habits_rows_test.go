//go:build tools && linux

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

// habit is a row of docs/habits.md: what people do, how with each tool, and what becomes of it.
type habit struct {
	name     string
	commands map[string]string
	do       func(x *trial) string
}

func all(s3get, s5cmd, rclone, aws string) map[string]string {
	commands := map[string]string{}
	for i, command := range []string{s3get, s5cmd, rclone, aws} {
		if command != "" {
			commands[tools[i]] = command
		}
	}
	return commands
}

// simple are commands that fetch the object k.
var simple = all("get s3://b/k OUT/k", "cp s3://b/k OUT/k", "copyto :s3:b/k OUT/k", "s3 cp s3://b/k OUT/k")

// prefix are commands that fetch what is below p.
var prefix = all("get -r s3://b/p/ OUT", "cp s3://b/p/* OUT/", "copy :s3:b/p OUT", "s3 cp --recursive s3://b/p/ OUT")

// syncing are commands that are run again and again.
var syncing = all("sync s3://b/p/ OUT", "sync s3://b/p/* OUT/", "sync :s3:b/p OUT", "s3 sync s3://b/p/ OUT")

// ordinary are the habits in which nothing goes wrong.
var ordinary = []habit{
	{"an object to a file", simple, func(x *trial) string {
		x.put("k")
		return says(x.run().content("k") == "k" && x.status == 0, "no")
	}},
	{"`*` in the source, also across `/`", all("get s3://b/l/*.gz -d OUT", "cp s3://b/l/*.gz OUT/", "copy :s3:b/l OUT --include *.gz", "s3 cp --recursive s3://b/l/ OUT --exclude * --include *.gz"), func(x *trial) string {
		x.put("l/a.gz", "l/d/b.gz", "l/c.txt")
		got := says(x.run().files() == "a.gz d/b.gz", "no")
		if got == "yes" && strings.Contains(x.command, "--include") {
			return "by a filter"
		}
		return got
	}},
	{"a key that has a `*`", all("get --raw s3://b/a*b -d OUT", "cp --raw s3://b/a*b OUT/", "copyto :s3:b/a*b OUT/a*b", "s3 cp s3://b/a*b OUT/a*b"), func(x *trial) string {
		x.put("a*b", "aXb")
		return says(x.run().files() == "a*b", "no")
	}},
	{"include and exclude", all("get -r s3://b/p/ OUT --include *.jpg --exclude tmp/**", "cp --include *.jpg --exclude tmp/* s3://b/p/* OUT/",
		"copy :s3:b/p OUT --filter -␣/tmp/** --filter +␣*.jpg --filter -␣*", "s3 cp --recursive s3://b/p/ OUT --exclude * --include *.jpg --exclude tmp/*"), func(x *trial) string {
		x.put("p/1.jpg", "p/2.txt", "p/tmp/3.jpg", "p/d/4.jpg")
		return says(x.run().files() == "1.jpg d/4.jpg", "no: "+x.files())
	}},
	{"dry run", all("get -r --dry-run s3://b/p/ OUT", "--dry-run cp s3://b/p/* OUT/", "copy --dry-run :s3:b/p OUT", "s3 cp --dryrun --recursive s3://b/p/ OUT"), func(x *trial) string {
		x.put("p/1")
		x.run()
		return says(x.files() == "" && strings.Contains(x.stdout+x.stderr, "1"), "no")
	}},
	{"leave existing files alone", all("get --no-clobber s3://b/k OUT/k", "cp -n s3://b/k OUT/k", "copyto --ignore-existing :s3:b/k OUT/k", "s3 cp --no-overwrite s3://b/k OUT/k"), func(x *trial) string {
		x.put("k")
		write(x.t, x.out("k"), "old")
		x.run()
		return says(x.content("k") == "old" && x.status == 0, "no")
	}},
	{"sync: fetch what is new only", syncing, func(x *trial) string {
		x.put("p/1", "p/d/2")
		x.run().gets()
		n := x.run().gets()
		return says(n == 0 && x.files() == "1 d/2", fmt.Sprintf("no: %d again", n))
	}},
	{"sync: an older object of the same size has come back", syncing, func(x *trial) string {
		x.origin.Put("b", "p/1", []byte("new"))
		x.run()
		x.origin.Put("b", "p/1", []byte("old"), func(o *s3test.Object) { o.LastModified = o.LastModified.Add(-time.Hour) })
		return says(x.run().content("1") == "old", "no: the file stays")
	}},
	{"sync: the object has a newer version of the same size", syncing, func(x *trial) string {
		x.origin.Put("b", "p/1", []byte("old"), func(o *s3test.Object) { o.LastModified = o.LastModified.Add(-3 * time.Hour) })
		x.run()
		if info, err := os.Stat(x.out("1")); err == nil && time.Since(info.ModTime()) < time.Hour {
			then := time.Now().Add(-2 * time.Hour) // the time of the download, if the tool leaves it so
			os.Chtimes(x.out("1"), then, then)
		}
		x.origin.Put("b", "p/1", []byte("new"), func(o *s3test.Object) { o.LastModified = o.LastModified.Add(-time.Hour) })
		return says(x.run().content("1") == "new", "**no: the file stays**")
	}},
	{"sync: a file was edited, its size was not", syncing, func(x *trial) string {
		x.origin.Put("b", "p/1", []byte("good"), func(o *s3test.Object) { o.LastModified = o.LastModified.Add(-time.Hour) })
		x.run()
		write(x.t, x.out("1"), "edit")
		return says(x.run().content("1") == "good", "no: the edit stays")
	}},
	{"sync: the file has the time of the object", syncing, func(x *trial) string {
		o := x.origin.Put("b", "p/1", []byte("1"), func(o *s3test.Object) { o.LastModified = o.LastModified.Add(-time.Hour) })
		x.run()
		info, err := os.Stat(x.out("1"))
		return says(err == nil && info.ModTime().Equal(o.LastModified), "no")
	}},
	{"sync: delete the rest", all("sync --delete s3://b/p/ OUT", "sync --delete s3://b/p/* OUT/", "sync :s3:b/p OUT", "s3 sync --delete s3://b/p/ OUT"), func(x *trial) string {
		x.put("p/1")
		write(x.t, x.out("extra"), "x")
		return says(x.run().files() == "1", "no")
	}},
	{"a part of the keys, for each of several machines", all("get -r --shard 1/2 s3://b/p/ OUT", "", "copy --hash-filter 1/2 :s3:b/p OUT", ""), func(x *trial) string {
		for i := range 40 {
			x.put(fmt.Sprintf("p/%d", i))
		}
		n := len(strings.Fields(x.run().files()))
		return says(n > 10 && n < 30, "no")
	}},
	{"list a prefix", all("ls s3://b/p/", "ls s3://b/p/", "lsl :s3:b/p", "s3 ls s3://b/p/"), func(x *trial) string {
		x.put("p/1234567")
		return says(strings.Contains(x.run().stdout, "1234567"), "no")
	}},
	{"a digest of the caller's own", all("get --checksum sha256:"+strings.Repeat("0", 64)+" s3://b/k OUT/k", "", "", ""), func(x *trial) string {
		x.put("k")
		return says(x.run().refuted() == "an error, and no file", "no")
	}},
	{"limit of the rate", all("get --limit-rate 1M s3://b/k OUT/k", "", "copyto --bwlimit 1M :s3:b/k OUT/k", "s3 cp s3://b/k OUT/k"), func(x *trial) string {
		x.rate = "1MB/s"
		x.origin.Put("b", "k", make([]byte, 3<<20))
		began := time.Now()
		x.run()
		return says(time.Since(began) > 1500*time.Millisecond && x.files() == "k", "no")
	}},
	{"a range of the bytes", all("get --range 1-3 s3://b/k OUT/k", "", "cat --offset 1 --count 3 :s3:b/k", "s3api get-object --bucket b --key k --range bytes=1-3 k"), func(x *trial) string {
		x.origin.Put("b", "k", []byte("01234"))
		x.run()
		switch x.tool {
		case "rclone":
			return says(x.stdout == "123", "no")
		case "aws s3":
			data, _ := os.ReadFile(x.dir + "/k")
			return map[bool]string{true: "by `s3api`", false: "no"}[string(data) == "123"]
		}
		return says(x.content("k") == "123", "no")
	}},
	{"an older version", all("get --version-id V s3://b/k OUT/k", "cp --version-id V s3://b/k OUT/k", "", "s3api get-object --bucket b --key k --version-id V k"), func(x *trial) string {
		x.origin.CreateBucket("b")
		x.origin.SetVersioning("b", true)
		old := x.origin.Put("b", "k", []byte("old"))
		x.origin.Put("b", "k", []byte("new"))
		x.command = strings.Replace(x.command, " V ", " "+old.VersionID+" ", 1)
		x.run()
		if x.tool == "aws s3" {
			data, _ := os.ReadFile(x.dir + "/k")
			return map[bool]string{true: "by `s3api`", false: "no"}[string(data) == "old"]
		}
		return says(x.content("k") == "old", "no")
	}},
	{"requester pays", all("get --request-payer=requester s3://b/k OUT/k", "--request-payer requester cp s3://b/k OUT/k", "copyto --s3-requester-pays :s3:b/k OUT/k", "s3 cp --request-payer requester s3://b/k OUT/k"), func(x *trial) string {
		x.put("k")
		x.run()
		for _, r := range x.origin.Requests() {
			if r.Method == "GET" && r.Key == "k" && r.Header.Get("X-Amz-Request-Payer") == "" {
				return "no"
			}
		}
		return says(x.content("k") == "k", "no")
	}},
	{"public buckets, without credentials", all("get --no-sign-request s3://b/k OUT/k", "--no-sign-request cp s3://b/k OUT/k", "copyto :s3:b/k OUT/k", "s3 cp --no-sign-request s3://b/k OUT/k"), func(x *trial) string {
		x.put("k")
		x.unsigned = true
		x.run()
		signed := slices.ContainsFunc(x.origin.Requests(), func(r s3test.Request) bool { return r.Header.Get("Authorization") != "" })
		return says(!signed && x.content("k") == "k", "no")
	}},
	{"a list of objects", all("run LIST -d OUT", "run LIST", "copy --files-from LIST :s3:b OUT", ""), func(x *trial) string {
		x.put("1", "d/2", "3")
		lines := map[string]string{"s3get": "s3://b/1\ns3://b/d/2\n", "s5cmd": "cp s3://b/1 " + x.out("1") + "\ncp s3://b/d/2 " + x.out("d/2") + "\n", "rclone": "1\nd/2\n"}
		write(x.t, x.dir+"/list", lines[x.tool])
		x.command = strings.Replace(x.command, "LIST", x.dir+"/list", 1)
		return says(x.run().files() == "1 d/2", "no")
	}},
	{"to standard output", all("cat s3://b/k", "cat s3://b/k", "cat :s3:b/k", "s3 cp s3://b/k -"), func(x *trial) string {
		x.put("k")
		return says(x.run().stdout == "k", "no")
	}},
	{"lines of JSON", all("get -r --json s3://b/p/ OUT", "--json cp s3://b/p/* OUT/", "copy --use-json-log -v :s3:b/p OUT", ""), func(x *trial) string {
		x.put("p/1")
		x.run()
		return says(strings.HasPrefix(strings.TrimSpace(x.stdout+x.stderr), "{"), "no")
	}},
}
