//go:build realservers && linux

package realservers

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/s3processpool/processpool"
)

// The test downloads the odd keys from a listing: each becomes a file of its own, which a second
// download recognizes as unchanged.
func TestDirectory(t *testing.T) {
	const prefix = "odd keys+%/"
	each(t, func(t *testing.T, s *server) {
		d := newDownloader(t, s)
		uploads := map[string]uploaded{}
		var files, refused int64
		for i, odd := range oddKeys {
			if slices.Contains(odd.not, s.product) {
				continue
			}
			key := prefix + odd.key
			uploads[key] = s.upload(t, key, newContent(uint64(i), odd.size), way{})
			switch {
			case !strings.HasSuffix(key, "/"):
				files++
			case odd.size > 0: // a directory has no content
				refused++
			}
		}
		s.upload(t, "odd keys", newContent(1, 1), way{}) // not below the prefix

		dir := t.TempDir()
		fetch := func() (processpool.DirectoryProgress, []*processpool.Future) {
			var futures []*processpool.Future
			all := d.DownloadDirectory(context.Background(), bucket, prefix, dir, func(o *processpool.DirectoryOptions) {
				o.SkipUnchanged = true
				o.OnFile = func(f *processpool.Future) { futures = append(futures, f) }
			})
			var failed *processpool.DirectoryError
			if err := all.Result(); errors.As(err, &failed) != (refused > 0) || refused > 0 && !errors.Is(err, processpool.ErrUnsafeKey) {
				t.Fatal(err)
			}
			return all.Progress(), futures
		}
		p, futures := fetch()
		if p.Failed != refused || int64(len(futures)) != files+refused || p.Skipped != 0 {
			t.Errorf("got %+v and %d futures, want %d files, %d refused", p, len(futures), files, refused)
		}
		for _, f := range futures {
			up := uploads[f.Meta().Key]
			if f.Result() != nil {
				continue
			}
			if want := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(up.key, prefix))); f.Meta().Filename != want {
				t.Errorf("%q: got file %q, want %q", up.key, f.Meta().Filename, want)
			}
			if got, want := sha256OfFile(t, f.Meta().Filename), up.sha256(); got != want {
				t.Errorf("%q: the file has SHA-256 %s, the object %s", up.key, got, want)
			}
		}
		if p, _ := fetch(); p.Skipped != files || p.Failed != refused {
			t.Errorf("again: got %+v, want %d skipped", p, files)
		}
	}, plain)
}

// The listing has more than one page.
func TestDirectoryPages(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		const n = 1050
		for i := range n {
			s.upload(t, filepath.Join("many", string(rune('a'+i%26)), strings.Repeat("k", i/26+1)), newContent(1, 1), way{bare: true})
		}
		d := newDownloader(t, s)
		dir := t.TempDir()
		all := d.DownloadDirectory(context.Background(), bucket, "many/", dir, func(o *processpool.DirectoryOptions) {
			o.Filter = func(o processpool.ObjectInfo) bool {
				return strings.HasSuffix(o.Key, "/k") || strings.HasPrefix(o.Key, "many/z")
			}
		})
		if err := all.Result(); err != nil {
			t.Fatal(err)
		}
		if got, lists := all.Progress().Done, d.Stats().Requests.ListObjectsV2; got != 65 || lists != 2 {
			t.Errorf("got %d files in %d pages, want 65 in 2", got, lists)
		}
	}, plain)
}
