package e2e_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A Directory starts no more downloads at once than its window allows.
func TestDirectoryWindow(t *testing.T) {
	leak.Check(t)
	const window, total = 100, 250
	origin, dir := harness.StartOrigin(t), t.TempDir()
	for i := range total {
		origin.Put("b", fmt.Sprintf("%03d", i), harness.Content)
	}
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Match: isGet, Gate: gate})
	d := harness.NewDownloader(t, origin)
	begun, most, full := 0, 0, make(chan struct{})
	all := d.DownloadDirectory(t.Context(), "b", "", dir, func(o *processpool.DirectoryOptions) {
		o.OnStart = func(*processpool.Future) {
			if begun++; begun == window && most < window {
				close(full)
			}
			most = max(most, begun)
		}
		o.OnFile = func(*processpool.Future) { begun-- }
	})
	harness.Wait(t, full, "the window to be full")
	close(gate)
	harness.Wait(t, all.Done(), "the end of the directory")
	if err := all.Result(); err != nil || most != window || begun != 0 {
		t.Errorf("got %v, %d at once, %d left, want %d and none", err, most, begun, window)
	}
	if p := all.Progress(); p.Done != total {
		t.Errorf("got %+v", p)
	}
}

// The next page is requested when all objects of the previous page have started and the window has
// room.
func TestDirectoryPages(t *testing.T) {
	leak.Check(t)
	const window, size, total = 100, 60, 250
	origin, dir := harness.StartOrigin(t, harness.Pages(size)), t.TempDir()
	for i := range total {
		origin.Put("b", fmt.Sprintf("%03d", i), harness.Content)
	}
	d := harness.NewDownloader(t, origin)
	var begun, ended, asked atomic.Int64
	origin.OnRequest(func(r s3test.Request) {
		if !harness.IsList(r) {
			return
		}
		page := asked.Add(1) - 1
		if begun.Load() != page*size || begun.Load()-ended.Load() >= window {
			t.Errorf("page %d: %d have begun, %d ended", page, begun.Load(), ended.Load())
		}
	})
	all := harness.Directory(t, d, "", dir, func(o *processpool.DirectoryOptions) {
		o.OnStart = func(*processpool.Future) { begun.Add(1) }
		o.OnFile = func(*processpool.Future) { ended.Add(1) }
	})
	if p := all.Progress(); all.Result() != nil || p.Done != total || asked.Load() != 5 {
		t.Errorf("got %v, %+v, %d pages", all.Result(), p, asked.Load())
	}
}

// Two Directories, and a single download, make progress at the same time.
func TestDirectoryBesideOthers(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t, harness.Pages(7))
	one, two := t.TempDir(), t.TempDir()
	for i := range 50 {
		origin.Put("b", fmt.Sprint("d/", i), harness.Content)
	}
	d := harness.NewDownloader(t, origin)
	first := d.DownloadDirectory(t.Context(), "b", "", one)
	second := d.DownloadDirectory(t.Context(), "b", "d/", two)
	single := d.DownloadFile(t.Context(), "b", "d/1", filepath.Join(t.TempDir(), "file"))
	harness.Wait(t, first.Done(), "the first")
	harness.Wait(t, second.Done(), "the second")
	if err := errors.Join(first.Result(), second.Result(), harness.Result(t, single)); err != nil {
		t.Error(err)
	}
	if first.Progress().Done != 50 || second.Progress().Done != 50 {
		t.Errorf("got %+v, %+v", first.Progress(), second.Progress())
	}
}
