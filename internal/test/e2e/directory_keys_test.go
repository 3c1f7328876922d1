package e2e_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// Each key that would lead out of the directory is refused by itself, before any request for it.
// The others are downloaded.
func TestDirectoryUnsafeKeys(t *testing.T) {
	leak.Check(t)
	origin, dir, outside := harness.StartOrigin(t), t.TempDir(), t.TempDir()
	secret := filepath.Join(outside, "secret")
	if err := os.WriteFile(secret, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, old := range map[string]string{"link": outside, "file": secret, "dangling": filepath.Join(outside, "new")} {
		if err := os.Symlink(old, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	bad := []string{
		"p/../up", "p/..", "p//root", "p/a//b", "p/./a", "p/a/..", "p/nul\x00", "p/full/",
		"p/link/in", "p/link/d/in", "p/file", "p/dangling", "p/link/marker/",
	}
	for _, key := range append(bad, "p/good", "p/d/good") {
		origin.Put("b", key, harness.Content)
	}
	origin.Put("b", "p/link/marker/", nil)
	d := harness.NewDownloader(t, origin)
	var refused []string
	all := harness.Directory(t, d, "p/", dir, func(o *processpool.DirectoryOptions) {
		o.OnFile = func(f *processpool.Future) {
			if errors.Is(f.Result(), processpool.ErrUnsafeKey) {
				refused = append(refused, f.Meta().Key)
			} else if f.Result() != nil {
				t.Error(f.Result())
			}
		}
	})
	err := harness.WantDirectoryError(t, all.Result(), int64(len(bad)), processpool.ErrUnsafeKey)
	if err.Listed != int64(len(bad)+2) || err.Err != nil || len(err.Failures) != 10 {
		t.Errorf("got %d listed, %v, %d failures", err.Listed, err.Err, len(err.Failures))
	}
	if text, want := err.Error(), "13 of 15 objects failed, 10 of them:\ncheck s3://b/p/.. to "; !strings.Contains(text, want) {
		t.Errorf("got %q, want it to contain %q", text, want)
	}
	slices.Sort(bad)
	slices.Sort(refused)
	if !slices.Equal(refused, bad) {
		t.Errorf("got %q refused, want %q", refused, bad)
	}
	harness.WantTree(t, dir, "good", "d/", "d/good", "link", "file", "dangling")
	harness.WantTree(t, outside, "secret")
	harness.WantContent(t, secret, []byte("old"))
	for _, r := range origin.Requests() {
		if slices.Contains(bad, r.Key) {
			t.Errorf("got a request for %q", r.Key)
		}
	}
}

// If the file of one key would have to be the directory of another, the one that comes first
// exists.
func TestDirectoryFileAndDirectory(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	for _, key := range []string{"a", "a/b", "c/d", "e"} {
		origin.Put("b", key, harness.Content)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "e"), 0o777), os.WriteFile(filepath.Join(dir, "c"), []byte("old"), 0o666)); err != nil {
		t.Fatal(err)
	}
	d := harness.NewDownloader(t, origin)
	all := harness.Directory(t, d, "", dir)
	err := harness.WantDirectoryError(t, all.Result(), 3, processpool.ErrUnsafeKey, syscall.ENOTDIR, syscall.EISDIR)
	for _, failure := range err.Failures {
		if !errors.Is(failure, processpool.ErrUnsafeKey) {
			t.Errorf("got %v, want ErrUnsafeKey", failure)
		}
	}
	harness.WantTree(t, dir, "a", "c", "e/")
	harness.WantContent(t, filepath.Join(dir, "c"), []byte("old"))

	// The same with a file that exists beforehand.
	all = harness.Directory(t, d, "a", dir)
	harness.WantDirectoryError(t, all.Result(), 1, processpool.ErrUnsafeKey, syscall.ENOTDIR)
	harness.WantTree(t, dir, "a", "c", "e/")
}

// No object gets the name of a partial file or a journal, and no directory: a later download with
// Resume would believe the one, and fail because of the other.
func TestDirectoryReservedNames(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	for _, key := range []string{".k.part", ".k.part.journal", "d/.K.PART", ".part", ".k.part/x", "e/.k.part.journal/x/y", "k", "k.part", ".k.part.x"} {
		origin.Put("b", key, harness.Content)
	}
	origin.Put("b", ".m.part/", nil)
	d := harness.NewDownloader(t, origin)
	for _, resume := range []bool{false, true} {
		all := harness.Directory(t, d, "", dir, func(o *processpool.DirectoryOptions) {
			o.Options = append(o.Options, func(o *processpool.DownloadOptions) { o.Resume = resume })
		})
		harness.WantDirectoryError(t, all.Result(), 7, processpool.ErrUnsafeKey)
		harness.WantTree(t, dir, "k", "k.part", ".k.part.x")
	}
}
