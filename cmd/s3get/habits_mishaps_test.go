//go:build tools && linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

const large = 24 << 20

// noMD5 gives an object a CRC64NVME, and an ETag that is none of its content, as with SSE-KMS.
func noMD5(o *s3test.Object) {
	s3test.WithChecksum("crc64nvme", "FULL_OBJECT")(o)
	o.ETag = `"not-an-md5"`
}

// big are commands that fetch a large object in several ranges.
var big = all("get --chunk 5MiB --threshold 5MiB --workers 2 s3://b/k OUT/k", "cp --part-size 5 --concurrency 2 s3://b/k OUT/k",
	"copyto --multi-thread-cutoff 5Mi --multi-thread-chunk-size 5Mi --multi-thread-streams 2 :s3:b/k OUT/k", "s3 cp s3://b/k OUT/k")

// mishaps are what becomes of a download when something goes wrong.
var mishaps = []habit{
	{"bytes that S3's CRC64NVME refutes", simple, func(x *trial) string {
		x.origin.PutContent("b", "k", 5, bytes.NewReader([]byte("01234")), noMD5)
		x.origin.Inject(s3test.Fault{Method: "GET", Key: "k", Flip: true, FlipAt: 2})
		return x.run().refuted()
	}},
	{"bytes that S3's CRC32 refutes", simple, func(x *trial) string {
		x.origin.PutContent("b", "k", 5, bytes.NewReader([]byte("01234")), noMD5, s3test.WithChecksum("crc32", "FULL_OBJECT"))
		x.origin.Inject(s3test.Fault{Method: "GET", Key: "k", Flip: true, FlipAt: 2})
		return x.run().refuted()
	}},
	{"bytes that the MD5 in the ETag refutes", simple, func(x *trial) string {
		x.origin.Put("b", "k", []byte("01234"), s3test.WithChecksum("", ""))
		x.origin.Inject(s3test.Fault{Method: "GET", Key: "k", Flip: true, FlipAt: 2})
		return x.run().refuted()
	}},
	{"wrong bytes to standard output", all("cat s3://b/k", "cat s3://b/k", "cat :s3:b/k", "s3 cp s3://b/k -"), func(x *trial) string {
		x.origin.PutContent("b", "k", 5, bytes.NewReader([]byte("01234")), noMD5)
		x.origin.Inject(s3test.Fault{Method: "GET", Key: "k", Flip: true, FlipAt: 2})
		x.run()
		return map[bool]string{true: "a status that says so", false: "**status 0**"}[x.status != 0]
	}},
	{"the object is overwritten in the middle of a download", big, func(x *trial) string {
		x.origin.Put("b", "k", s3test.PatternBytes(1, large), s3test.WithParts(8<<20, 8<<20, 8<<20))
		x.origin.Inject(s3test.Fault{Method: "GET", Key: "k", Skip: 2, Times: 1, Do: func(s *s3test.Server, _ s3test.Request) {
			s.Put("b", "k", s3test.PatternBytes(2, large), s3test.WithParts(8<<20, 8<<20, 8<<20))
		}})
		x.run()
		content := []byte(x.content("k"))
		switch {
		case x.status != 0 && x.files() == "":
			return "an error, and no file"
		case x.status != 0:
			return "an error, and a file"
		case bytes.Equal(content, s3test.PatternBytes(1, large)), bytes.Equal(content, s3test.PatternBytes(2, large)):
			return "one of the versions"
		}
		return "**a mix of two versions**, status 0"
	}},
	{"`kill -9` in the middle of a download", big, func(x *trial) string {
		x.interrupt()
		switch names := x.files(); {
		case names == "":
			return "nothing is left"
		case slices.Contains(strings.Fields(names), "k"):
			return "**a part under the file's name**"
		default:
			return "a part under another name"
		}
	}},
	{"... and the same command again", big, func(x *trial) string {
		if x.tool == "s3get" {
			x.command = strings.Replace(x.command, "get ", "get --resume ", 1)
		}
		x.interrupt()
		x.origin.ClearFaults()
		x.origin.ResetRequests()
		n := x.run().gets()
		if x.content("k") != string(s3test.PatternBytes(1, large)) {
			return "no"
		}
		ranges := (large + 5<<20 - 1) / (5 << 20)
		if x.tool == "aws s3" {
			ranges = large / (8 << 20)
		}
		return map[bool]string{true: "resumes, with `--resume`", false: "from the start"}[n < ranges]
	}},
	{"503 for a while", simple, func(x *trial) string {
		x.put("k")
		x.origin.Inject(s3test.Fault{Key: "k", Status: 503, Times: 2})
		return says(x.run().content("k") == "k" && x.status == 0, "no")
	}},
	{"an object of many is refused (403)", prefix, func(x *trial) string {
		for i := range 20 {
			x.put(fmt.Sprintf("p/%02d", i))
		}
		x.origin.Inject(s3test.Fault{Key: "p/07", Status: 403})
		x.run()
		return fmt.Sprintf("%d of 19 others, status %d", len(strings.Fields(x.files())), x.status)
	}},
	{"an object of many is archived (GLACIER)", prefix, func(x *trial) string {
		x.put("p/1", "p/2")
		x.origin.Put("b", "p/cold", []byte("cold"), func(o *s3test.Object) { o.StorageClass = "GLACIER" })
		if x.tool == "s3get" {
			x.command += " --skip-archived"
		}
		x.run()
		got := fmt.Sprintf("%d of 2 others, status %d", len(strings.Fields(x.files())), x.status)
		if x.tool == "s3get" {
			got += ", with `--skip-archived`"
		}
		return got
	}},
	{"a key with `..` in it", prefix, func(x *trial) string {
		x.put("p/../../evil", "p/1")
		x.run()
		for _, name := range []string{"evil", "../evil"} {
			if _, err := os.Stat(x.out("..", name)); err == nil {
				return "**a file outside the directory**"
			}
		}
		return fmt.Sprintf("no file outside, status %d", x.status)
	}},
	{"a key with an escape sequence", prefix, func(x *trial) string {
		x.put("p/a\x1b[2Jb")
		x.run()
		return map[bool]string{true: "**reaches the terminal**", false: "is quoted, or not shown"}[strings.Contains(x.stdout+x.stderr, "\x1b[2J")]
	}},
}

// refuted says what became of bytes that are not the object's.
func (x *trial) refuted() string {
	switch {
	case x.status == 0:
		return "**taken, status 0**"
	case x.files() == "":
		return "an error, and no file"
	}
	return "an error, and a file"
}

// interrupt kills the tool when it has got a part of a large object.
func (x *trial) interrupt() {
	x.t.Helper()
	x.origin.Put("b", "k", s3test.PatternBytes(1, large), s3test.WithParts(8<<20, 8<<20, 8<<20))
	x.origin.Inject(s3test.Fault{Method: "GET", Key: "k", Skip: 1, Stall: true, StallAfter: 1 << 20})
	var stdout, stderr bytes.Buffer
	cmd, cancel := x.start(&stdout, &stderr)
	defer cancel()
	for deadline := time.Now().Add(patience); x.written() < 2<<20 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(3 * time.Second) // so that what a tool writes now and then for a resumption is there
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	cmd.Wait()
}

// written returns how many bytes are in files of OUT, whatever their names.
func (x *trial) written() (n int64) {
	for _, name := range strings.Fields(x.files()) {
		if info, err := os.Stat(x.out(name)); err == nil {
			n += info.Sys().(*syscall.Stat_t).Blocks * 512
		}
	}
	return n
}
