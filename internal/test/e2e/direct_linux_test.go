package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/disk"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// What fills whole pages goes past the page cache, the rest by way of it, and the bytes are right
// wherever the ranges begin.
func TestDirectIO(t *testing.T) {
	const page = 4096
	for _, c := range []struct {
		size, chunk int64
		parts       []int64
		set         func(*processpool.DownloadOptions)
		least       int64 // bytes that must go direct
	}{
		{size: 4 * harness.MiB, chunk: harness.MiB, least: 4 * harness.MiB},
		{size: 4*harness.MiB + 1, chunk: harness.MiB, least: 4 * harness.MiB},
		{size: 4*harness.MiB - 1, chunk: harness.MiB, least: 4*harness.MiB - page},
		{size: 3*harness.MiB + 777, chunk: harness.MiB - 13, least: 3*harness.MiB - 13 - 4*2*page},
		{size: 3 * harness.MiB, chunk: 8 * harness.MiB, least: 3 * harness.MiB},
		{size: 3 * harness.MiB, chunk: harness.MiB, parts: []int64{harness.MiB + 5, harness.MiB + 4, harness.MiB - 9}, least: 2 * harness.MiB},
		{size: 3 * harness.MiB, chunk: harness.MiB, set: part(5, 2*harness.MiB), least: 2*harness.MiB - page},
		{size: 3 * harness.MiB, chunk: harness.MiB, set: harness.Resume, least: 3 * harness.MiB},
		{size: 3 * harness.MiB, chunk: harness.MiB, set: func(o *processpool.DownloadOptions) { o.Durable = true }, least: 3 * harness.MiB},
		{size: 3 * harness.MiB, chunk: harness.MiB, set: func(o *processpool.DownloadOptions) { o.DirectIO = false }},
		{size: 1000, chunk: harness.MiB},
		{size: 0, chunk: harness.MiB},
	} {
		if c.set == nil {
			c.set = func(*processpool.DownloadOptions) {}
		}
		t.Run(fmt.Sprintf("size=%d,chunk=%d,parts=%d", c.size, c.chunk, len(c.parts)), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), disk.Dir(t)
			content := s3test.PatternBytes(7, c.size)
			kind := "FULL_OBJECT"
			if c.parts != nil {
				kind = "COMPOSITE"
			}
			origin.Put("b", "k", content, s3test.WithParts(c.parts...), s3test.WithChecksum("crc32c", kind))
			d := harness.NewDownloader(t, origin, harness.DirectIO, harness.Multipart(c.chunk, c.chunk))
			file := filepath.Join(dir, "file")
			f := d.DownloadFile(t.Context(), "b", "k", file, c.set)
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			end := f.Progress().BytesTotal
			offset := int64(0)
			if r := f.Meta().Range; r != nil {
				offset = r.Offset
			}
			harness.WantContent(t, file, content[offset:offset+end])
			got := f.Object().Direct
			if got < c.least || c.least == 0 && got > 0 || got > end {
				t.Errorf("%d of %d bytes went direct, want %d at least", got, end, c.least)
			}
			if total := d.Stats().BytesDirect; total < got || c.parts == nil && total != got {
				t.Errorf("Stats has %d direct bytes, the object %d", total, got)
			}
			leak.Files(t, dir, "file")
		})
	}
}

// A file system in memory, and one that refuses, have no direct writes: everything goes the other way.
func TestDirectIOFallsBack(t *testing.T) {
	content := s3test.PatternBytes(7, 3*harness.MiB)
	for name, prepare := range map[string]func(t *testing.T, dir string){
		"tmpfs": func(t *testing.T, dir string) { disk.Tmpfs(t, dir, "size=16m") },
		"refused": func(t *testing.T, _ string) {
			harness.Fault(t, func(op, _ string) error {
				if op == "direct" {
					return syscall.EINVAL
				}
				return nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			prepare(t, dir)
			origin.Put("b", "k", content)
			d := harness.NewDownloader(t, origin, harness.DirectIO, harness.Multipart(harness.MiB, harness.MiB))
			file := filepath.Join(dir, "file")
			f := d.DownloadFile(t.Context(), "b", "k", file)
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, file, content)
			if got := f.Object().Direct; got != 0 {
				t.Errorf("%d bytes went direct", got)
			}
		})
	}
}

// An open file, with a name or without, is written past the page cache, too.
func TestDirectIOOfAnOpenFile(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), disk.Dir(t)
	content := s3test.PatternBytes(7, 3*harness.MiB+5)
	origin.Put("b", "k", content)
	d := harness.NewDownloader(t, origin, harness.DirectIO, harness.Multipart(harness.MiB, harness.MiB))
	f := create(t, filepath.Join(dir, "file"), "old")
	if err := os.Remove(f.Name()); err != nil {
		t.Fatal(err)
	}
	future := d.DownloadTo(t.Context(), "b", "k", f)
	if err := harness.Result(t, future); err != nil {
		t.Fatal(err)
	}
	wantMapped(t, f, content)
	if got := future.Object().Direct; got != 3*harness.MiB {
		t.Errorf("%d bytes went direct, want %d", got, 3*harness.MiB)
	}
}
