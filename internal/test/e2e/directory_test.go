package e2e_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func isGet(r s3test.Request) bool { return r.Method == "GET" && r.Key != "" }

// lists returns the requests so far for a page of a listing.
func lists(origin *s3test.Server) []s3test.Request {
	return slices.DeleteFunc(origin.Requests(), func(r s3test.Request) bool { return !harness.IsList(r) })
}

func TestDirectory(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t, harness.Pages(3)), t.TempDir()
	keys := []string{
		"p/a", "p/a b+c%20", "p/d/", "p/d/1", "p/d/2/x", "p/e/f/", "p/empty", "p/ü\u2028日", "p/\x01<&>", "p/z.8f8f8f8f",
	}
	for i, key := range keys {
		data := s3test.PatternBytes(uint64(i), int64(10*i))
		if strings.HasSuffix(key, "/") || key == "p/empty" {
			data = nil
		}
		origin.Put("b", key, data)
	}
	origin.Put("b", "pq", harness.Content)
	origin.Put("b", "q/a", harness.Content)
	d := harness.NewDownloader(t, origin)
	var started, ended []string

	all := harness.Directory(t, d, "p/", filepath.Join(dir, "new", "out"), func(o *processpool.DirectoryOptions) {
		o.OnStart = func(f *processpool.Future) {
			started = append(started, f.Meta().Key)
			if harness.IsDone(f) {
				t.Errorf("%s: is done before it has started", f.Meta().Key)
			}
		}
		o.OnFile = func(f *processpool.Future) {
			ended = append(ended, f.Meta().Key)
			if !harness.IsDone(f) || f.Result() != nil {
				t.Errorf("%s: got done %v, %v", f.Meta().Key, harness.IsDone(f), f.Result())
			}
		}
	})
	if err := all.Result(); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "new", "out")
	harness.WantTree(t, out, "a", "a b+c%20", "d/", "d/1", "d/2/", "d/2/x", "e/", "e/f/", "empty", "ü\u2028日", "\x01<&>", "z.8f8f8f8f")
	var bytes int64
	for i, key := range keys {
		if data := s3test.PatternBytes(uint64(i), int64(10*i)); !strings.HasSuffix(key, "/") && key != "p/empty" {
			bytes += int64(len(data))
			harness.WantContent(t, filepath.Join(out, strings.TrimPrefix(key, "p/")), data)
		}
	}
	want := processpool.DirectoryProgress{Listed: 10, Done: 10, BytesDone: bytes, BytesTotal: bytes, Complete: true}
	if got := all.Progress(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	files := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return strings.HasSuffix(key, "/") })
	slices.Sort(files)
	slices.Sort(started)
	slices.Sort(ended)
	if !slices.Equal(started, files) || !slices.Equal(ended, files) {
		t.Errorf("got OnStart for %q, OnFile for %q, want both for %q", started, ended, files)
	}
	if got := len(lists(origin)); got != 4 {
		t.Errorf("got %d pages, want 4", got)
	}
}

// The name of a file is the part of the key after the last slash of the prefix.
func TestDirectoryPrefix(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	for _, key := range []string{"a", "p/x", "p1/x", "p1/y/z"} {
		origin.Put("b", key, harness.Content)
	}
	d := harness.NewDownloader(t, origin)
	for prefix, want := range map[string][]string{
		"":      {"a", "p/", "p/x", "p1/", "p1/x", "p1/y/", "p1/y/z"},
		"p":     {"p/", "p/x", "p1/", "p1/x", "p1/y/", "p1/y/z"},
		"p1/":   {"x", "y/", "y/z"},
		"p1/y":  {"y/", "y/z"},
		"p1/y/": {"z"},
		"a":     {"a"},
		"none":  {},
	} {
		t.Run("prefix="+prefix, func(t *testing.T) {
			dir := t.TempDir()
			if err := harness.Directory(t, d, prefix, dir).Result(); err != nil {
				t.Fatal(err)
			}
			harness.WantTree(t, dir, want...)
		})
	}
	dir := t.TempDir()
	if err := harness.Directory(t, d, "none", filepath.Join(dir, "new")).Result(); err != nil {
		t.Error(err)
	}
	harness.WantTree(t, dir) // no directory is created without an object
}

func TestDirectoryFlat(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t, harness.Pages(2)), t.TempDir()
	for _, key := range []string{"p/", "p/1", "p/d/", "p/d/x", "p/d/y", "p/e/z", "p/z"} {
		data := harness.Content
		if strings.HasSuffix(key, "/") {
			data = nil
		}
		origin.Put("b", key, data)
	}
	d := harness.NewDownloader(t, origin)
	all := harness.Directory(t, d, "p/", dir, func(o *processpool.DirectoryOptions) { o.Flat = true })
	if err := all.Result(); err != nil {
		t.Fatal(err)
	}
	harness.WantTree(t, dir, "1", "z")
	if got := all.Progress().Listed; got != 3 {
		t.Errorf("got %d listed, want 3", got)
	}
}

func TestDirectoryFilter(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	put := origin.Put("b", "yes", harness.Content)
	origin.Put("b", "no", harness.Content)
	d := harness.NewDownloader(t, origin)
	var got processpool.ObjectInfo
	all := harness.Directory(t, d, "", dir, func(o *processpool.DirectoryOptions) {
		o.Filter = func(o processpool.ObjectInfo) bool {
			if o.Key == "yes" {
				got = o
			}
			return o.Key == "yes"
		}
		o.Options = append(o.Options, func(o *processpool.DownloadOptions) { o.UserContext = "mine" })
		o.OnFile = func(f *processpool.Future) {
			if f.Meta().UserContext != "mine" {
				t.Errorf("got %v for UserContext", f.Meta().UserContext)
			}
		}
	})
	if err := all.Result(); err != nil {
		t.Fatal(err)
	}
	harness.WantTree(t, dir, "yes")
	want := processpool.ObjectInfo{Key: "yes", Size: 10, ETag: put.ETag, LastModified: put.LastModified, StorageClass: "STANDARD"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if p := all.Progress(); p.Listed != 1 || p.BytesTotal != 10 {
		t.Errorf("got %+v, want one object listed", p)
	}
}

func TestDirectoryModTime(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	modified := time.Date(2020, 2, 29, 12, 0, 0, 0, time.UTC)
	put := func(key string, data []byte, at time.Time) {
		origin.Put("b", key, data, func(o *s3test.Object) { o.LastModified = at })
	}
	put("same", harness.Content, modified)
	put("d/resized", harness.Content, modified)
	put("touched", harness.Content, modified)
	put("rewritten", harness.Content, modified.Add(123*time.Millisecond)) // some servers list more digits than the HTTP header has
	d := harness.NewDownloader(t, origin)
	kept := func(o *processpool.DirectoryOptions) { o.KeepModTime = true }
	unchanged := func(o *processpool.DirectoryOptions) { o.SkipUnchanged = true }

	if err := harness.Directory(t, d, "", dir, kept).Result(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"same", "d/resized", "touched", "rewritten"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.ModTime().Equal(modified) {
			t.Errorf("%s: got %v, %v, want %v", name, info.ModTime(), err, modified)
		}
	}
	origin.ResetRequests()
	all := harness.Directory(t, d, "", dir, unchanged)
	want := processpool.DirectoryProgress{Listed: 4, Skipped: 4, Complete: true}
	if got := all.Progress(); all.Result() != nil || got != want || len(origin.Requests()) != 1 {
		t.Errorf("nothing changed: got %+v, %v, %d requests, want %+v and the listing", got, all.Result(), len(origin.Requests()), want)
	}

	later := modified.Add(time.Second)
	put("rewritten", []byte("my Content"), later)
	put("d/resized", []byte("my"), modified)
	if err := os.Chtimes(filepath.Join(dir, "touched"), time.Time{}, modified.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	all = harness.Directory(t, d, "", dir, unchanged)
	if p := all.Progress(); all.Result() != nil || p.Skipped != 1 || p.Done != 3 || p.BytesDone != 22 || p.BytesTotal != 22 {
		t.Errorf("three changed: got %+v, %v, want 1 skipped and 3 done", p, all.Result())
	}
	harness.WantContent(t, filepath.Join(dir, "rewritten"), []byte("my Content"))
	harness.WantContent(t, filepath.Join(dir, "d", "resized"), []byte("my"))
	if info, err := os.Stat(filepath.Join(dir, "rewritten")); err != nil || !info.ModTime().Equal(later) {
		t.Errorf("rewritten: got %v, %v, want %v", info.ModTime(), err, later)
	}
}
