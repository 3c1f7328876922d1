package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// cat writes the bytes in order, whatever the order in which the ranges arrive, and whatever
// verifies them.
func TestCat(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	data := s3test.PatternBytes(1, 1<<20+7)
	parts := func(o *s3test.Object) { o.Parts = []int64{300_000, 300_000, 300_000, int64(len(data)) - 900_000} }
	origin.Put("b", "whole", data)
	origin.Put("b", "sha256", data, s3test.WithChecksum("sha256", "FULL_OBJECT"))
	origin.Put("b", "parts", data, s3test.WithChecksum("sha256", "COMPOSITE"), parts)
	origin.Put("b", "etag", data, s3test.WithChecksum("", ""))
	origin.Put("b", "nothing", data, s3test.WithChecksum("", ""), s3test.WithoutETag())
	origin.Put("b", "empty", nil)
	for _, c := range []struct{ key, verify string }{
		{"whole", "required"}, {"sha256", "required"}, {"parts", "required"}, {"etag", "required"}, {"nothing", "auto"}, {"whole", "off"},
	} {
		stdout, _ := cmd(t, origin, 0, "cat", "--chunk", "40000", "--threshold", "40000", "--requests-per-worker", "3", "--verify", c.verify, "s3://b/"+c.key)
		if stdout != string(data) {
			t.Errorf("%s: got %d other bytes", c.key, len(stdout))
		}
	}
	if stdout, _ := cmd(t, origin, 0, "cat", "s3://b/whole", "s3://b/empty", "s3://b/etag"); stdout != string(data)+string(data) {
		t.Errorf("two objects: got %d other bytes", len(stdout))
	}
	if stdout, _ := cmd(t, origin, 0, "cat", "--range", "1000-1999", "s3://b/whole"); stdout != string(data[1000:2000]) {
		t.Errorf("range: got %d other bytes", len(stdout))
	}
	if stdout, _ := cmd(t, origin, 0, "cat", "--range", "1048576-", "s3://b/whole"); stdout != string(data[1<<20:]) {
		t.Errorf("range to the end: got %d other bytes", len(stdout))
	}
	sum := fmt.Sprintf("sha256:%x", sha256.Sum256(data))
	cmd(t, origin, 0, "cat", "--verify", "required", "--checksum", sum, "s3://b/nothing")
	_, stderr := cmd(t, origin, 1, "cat", "--checksum", "md5:00000000000000000000000000000000", "s3://b/whole")
	wantText(t, "checksum", stderr, "--checksum has AAAA", "1048583 bytes have been written")
	stdout, stderr := cmd(t, origin, 1, "cat", "--verify", "required", "s3://b/nothing")
	if wantText(t, "nothing", stderr, "nothing was written"); stdout != "" {
		t.Errorf("nothing: got %d bytes", len(stdout))
	}
	_, stderr = cmd(t, origin, 1, "cat", "s3://b/missing")
	wantText(t, "missing", stderr, "s3get: s3://b/missing: there is no such object")
	_, stderr = cmd(t, origin, 1, "cat", "--range", "9-2000000", "s3://b/whole")
	wantText(t, "range", stderr, "--range is beyond the 1048583 bytes")
}

// Bytes that are not the object's end with status 1 and a word about what has been written.
func TestCatProof(t *testing.T) {
	leak.Check(t)
	for name, stored := range map[string]func(*s3test.Object){
		"whole": s3test.WithChecksum("crc64nvme", "FULL_OBJECT"), "etag": s3test.WithChecksum("", ""),
	} {
		origin := startOrigin(t)
		data := s3test.PatternBytes(1, 500_000)
		origin.Put("b", "k", data, stored)
		origin.Inject(s3test.Fault{Method: "GET", Key: "k", Flip: true, FlipAt: 400_000})
		stdout, stderr := cmd(t, origin, 1, "cat", "--chunk", "40000", "--threshold", "40000", "s3://b/k")
		if len(stdout) != len(data) || stdout == string(data) {
			t.Errorf("%s: got %d bytes", name, len(stdout))
		}
		wantText(t, name, stderr, "500000 bytes have been written, and are not the object's: discard them")
	}
}

// An object that is overwritten meanwhile is no mix of two versions.
func TestCatChanged(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	origin.Put("b", "k", s3test.PatternBytes(1, 500_000))
	origin.Inject(s3test.Fault{Method: "GET", Key: "k", Skip: 2, Times: 1, Do: func(s *s3test.Server, _ s3test.Request) {
		s.Put("b", "k", s3test.PatternBytes(2, 500_000))
	}})
	_, stderr := cmd(t, origin, 1, "cat", "--chunk", "40000", "--threshold", "40000", "s3://b/k")
	wantText(t, "stderr", stderr, "overwritten", "")
}

// Memory is bounded by two windows: no more is fetched while nobody reads.
func TestCatWindow(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	data := s3test.PatternBytes(1, 1<<20)
	origin.Put("b", "k", data)
	p := &program{arguments: newArguments(), stderr: &bytes.Buffer{}}
	p.endpoint, p.workers, p.chunk, p.threshold = origin.URL(), 2, 50_000, 50_000
	fetched := 0
	out := &reading{first: func() { fetched = gets(origin) }}
	p.stdout = out
	if err := p.cat(t.Context(), []source{{bucket: "b", key: "k"}}); err != nil || p.status != 0 {
		t.Fatalf("got %v, status %d", err, p.status)
	}
	if fetched > 4 || !bytes.Equal(out.Bytes(), data) {
		t.Errorf("got %d ranges before the first byte was read, want 4 at most; %d bytes", fetched, out.Len())
	}
}

// reading is an output that calls first before it takes its first byte.
type reading struct {
	bytes.Buffer
	first func()
}

func (r *reading) Write(p []byte) (int, error) {
	if r.first != nil {
		r.first()
		r.first = nil
	}
	return r.Buffer.Write(p)
}

func TestCatInterrupted(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	origin.Put("b", "k", s3test.PatternBytes(1, 500_000))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	origin.Inject(s3test.Fault{Method: "GET", Key: "k", Skip: 3, Gate: make(chan struct{}), Do: func(*s3test.Server, s3test.Request) { cancel() }})
	status, _, stderr := getCommand(t, ctx, origin, "cat", "--chunk", "40000", "--threshold", "40000", "s3://b/k")
	if status != 130 {
		t.Errorf("got status %d", status)
	}
	wantText(t, "stderr", stderr, "interrupted: the output is not complete")
	cmd(t, origin, 2, "cat", filepath.Join("b", "k"))
	cmd(t, origin, 2, "cat")
}
