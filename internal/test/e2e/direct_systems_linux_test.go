package e2e_test

import (
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

// directSystems are file systems with what DirectIO does on them. mount returns a directory of one.
var directSystems = map[string]struct {
	mount   func(t *testing.T) (dir string)
	direct  bool
	forgets bool // an open drops what is cached
}{
	"ext4":          {mount: on(disk.NewExt4("extents", 32*harness.MiB)), direct: true},
	"ext4 inline":   {mount: on(disk.NewExt4("inline_data", 32*harness.MiB)), direct: true},
	"ext4 data":     {mount: on(disk.NewExt4("has_journal", 32*harness.MiB).With("data=journal"))},
	"xfs":           {mount: on(disk.Xfs), direct: true},
	"xfs 4 KiB":     {mount: on(disk.Xfs4k), direct: true},
	"btrfs":         {mount: on(disk.Btrfs)},
	"btrfs zstd":    {mount: on(disk.Btrfs.With("compress-force=zstd"))},
	"btrfs no COW":  {mount: on(disk.Btrfs.With("nodatacow")), direct: true},
	"overlay ext4":  {mount: overlay(disk.NewExt4("extents", 32*harness.MiB)), direct: true},
	"overlay btrfs": {mount: overlay(disk.Btrfs)},
	"tmpfs":         {mount: mounted(func(t *testing.T, dir string) { disk.Tmpfs(t, dir, "size=16m") })},
	"fuse":          {mount: fuse(nil), direct: true, forgets: true},
	"fuse refuses":  {mount: fuse(map[string]syscall.Errno{"direct": syscall.EINVAL}), forgets: true},
	"encrypted": {mount: func(t *testing.T) string {
		dir := filepath.Join(on(disk.NewExt4("encrypt", 32*harness.MiB))(t), "sub")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		disk.Encrypt(t, dir)
		return dir
	}},
}

func mounted(mount func(t *testing.T, dir string)) func(t *testing.T) string {
	return func(t *testing.T) string {
		dir := t.TempDir()
		mount(t, dir)
		return dir
	}
}

func on(i disk.Image) func(t *testing.T) string {
	return mounted(func(t *testing.T, dir string) { i.Mount(t, dir, false) })
}

func overlay(i disk.Image) func(t *testing.T) string {
	return mounted(func(t *testing.T, dir string) { disk.Overlay(t, dir, on(i)(t)) })
}

func fuse(refuse map[string]syscall.Errno) func(t *testing.T) string {
	return mounted(func(t *testing.T, dir string) { disk.Mount(t, dir, disk.Options{Refuse: refuse}) })
}

// On each file system the bytes are right, and what is told of their way is true: those that went
// direct are not in the page cache, and the others are. A fallback is logged once.
func TestDirectIOOnFileSystems(t *testing.T) {
	const (
		page  = 4096
		size  = 4*harness.MiB + 777
		chunk = harness.MiB + 512 // every range but the first begins in a page
	)
	content := s3test.PatternBytes(9, size)
	for name, c := range directSystems {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), c.mount(t)
			origin.Put("b", "k", content, s3test.WithChecksum("crc64nvme", "FULL_OBJECT"))
			var log harness.Log
			d := harness.NewDownloader(t, origin, harness.DirectIO, harness.Multipart(1, chunk), log.Config)
			file := filepath.Join(dir, "file")
			f := d.DownloadFile(t.Context(), "b", "k", file)
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			cached, direct := disk.Cached(t, file), f.Object().Direct
			harness.WantContent(t, file, content)
			if f.Object().Verified != "CRC64NVME full object" {
				t.Errorf("Verified: got %q", f.Object().Verified)
			}
			most := int64(0)
			if c.direct {
				most = size
			}
			if direct > most || c.direct && direct < size-5*2*page {
				t.Errorf("%d of %d bytes went direct, want %t", direct, size, c.direct)
			}
			least := size - direct - page // ext4 with blocks of 1 KiB does not call the last page whole
			if c.forgets {
				least = 0
			}
			if cached < least || cached > size-direct+5*2*page {
				t.Errorf("%d bytes are in the page cache, and %d of %d went past it", cached, direct, size)
			}
			if got := d.Stats().BytesDirect; got != direct {
				t.Errorf("Stats has %d direct bytes, the object %d", got, direct)
			}
			records := log.Records(t, "without DirectIO: the bytes go by way of the page cache")
			if c.direct != (len(records) == 0) || len(records) > 1 {
				t.Errorf("the log has %d records of a fallback: %v", len(records), records)
			}
		})
	}
}

// What changes where a range begins and who writes it does not change the bytes, on any file system:
// a Range at an odd offset, Resume, Durable, an open file.
func TestDirectIOOptionsOnFileSystems(t *testing.T) {
	const size, chunk = 3*harness.MiB + 1, 300_001
	content := s3test.PatternBytes(9, size)
	for name, c := range directSystems {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), c.mount(t)
			origin.Put("b", "k", content)
			d := harness.Single(t, origin, chunk, harness.DirectIO)
			file := filepath.Join(dir, "file")
			want := func(f *processpool.Future, want []byte) {
				t.Helper()
				if err := harness.Result(t, f); err != nil {
					t.Fatal(err)
				}
				harness.WantContent(t, file, want)
				if direct := f.Object().Direct; c.direct != (direct > 0) || direct > int64(len(want)) {
					t.Errorf("%d bytes went direct, want that some did: %t", direct, c.direct)
				}
			}
			want(d.DownloadFile(t.Context(), "b", "k", file, part(12_345, 2*harness.MiB)), content[12_345:12_345+2*harness.MiB])
			want(d.DownloadFile(t.Context(), "b", "k", file, func(o *processpool.DownloadOptions) { o.Durable = true }), content)

			harness.Interrupt(t, origin, d, file, 5*chunk)
			f := d.DownloadFile(t.Context(), "b", "k", file, harness.Resume)
			want(f, content)
			harness.WantResumed(t, f.Object(), 5*chunk)

			open := create(t, file, "old content")
			want(d.DownloadTo(t.Context(), "b", "k", open), content)
		})
	}
}
