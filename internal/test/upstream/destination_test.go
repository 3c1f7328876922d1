package upstream_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// T1: a missing directory is fs.ErrNotExist, before any request.
func TestT1MissingDirectory(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)

	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "missing", "file")), fs.ErrNotExist, syscall.ENOENT)
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	leak.Files(t, dir)
}

// A directory as the destination is refused, in whatever form it is named.
func TestDestinationIsADirectory(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)

	for _, name := range []string{dir, dir + string(filepath.Separator), filepath.Join(dir, "new") + string(filepath.Separator), "."} {
		harness.WantError(t, harness.Download(t, d, "k", name), sink.ErrNotRegular, syscall.EISDIR)
	}
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	leak.Files(t, dir)
}

func TestDestinationUnderAFile(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}

	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(name, "below")), syscall.ENOTDIR)
	harness.WantContent(t, name, []byte("old"))
	leak.Files(t, dir, "file")
}

// A file at the destination is replaced on success, and remains on an error.
func TestDestinationExists(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, []byte("old, and longer than the new one"), 0o666); err != nil {
		t.Fatal(err)
	}

	harness.WantError(t, harness.Download(t, d, "missing", name))
	harness.WantContent(t, name, []byte("old, and longer than the new one"))
	if err := harness.Download(t, d, "k", name); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, name, harness.Content)
	leak.Files(t, dir, "file")
}

// Utils: file names up to NAME_MAX, 255 bytes. Their temporary names are shortened by bytes, but
// not inside a character.
func TestDestinationLongNames(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	for _, c := range []struct {
		base string
		want error
	}{
		{strings.Repeat("n", 255), nil},
		{strings.Repeat("日", 85), nil},         // 255 bytes
		{"nn" + strings.Repeat("é", 126), nil}, // 254 bytes
		{strings.Repeat("n", 247) + "é", nil},
		{strings.Repeat("n", 246), nil},
		{strings.Repeat("n", 256), syscall.ENAMETOOLONG},
		{strings.Repeat("n", 280), syscall.ENAMETOOLONG},
		{strings.Repeat("日", 86), syscall.ENAMETOOLONG},
	} {
		t.Run(fmt.Sprintf("bytes=%d,first=%q", len(c.base), c.base[:3]), func(t *testing.T) {
			dir := t.TempDir()
			err := harness.Download(t, d, "k", filepath.Join(dir, c.base))
			if c.want != nil {
				harness.WantError(t, err, c.want)
				leak.Files(t, dir)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, filepath.Join(dir, c.base), harness.Content)
			leak.Files(t, dir, c.base)
		})
	}
}

// Two downloads to one path both succeed, and the file is one of the two objects.
func TestDestinationOfTwo(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	one, other := s3test.PatternBytes(1, 1000), s3test.PatternBytes(2, 2000)
	origin.Put("b", "one", one)
	origin.Put("b", "other", other)
	d := harness.NewDownloader(t, origin, harness.Multipart(100, 100))
	name := filepath.Join(dir, "file")

	first := d.DownloadFile(t.Context(), "b", "one", name)
	second := d.DownloadFile(t.Context(), "b", "other", name)
	if err := errors.Join(harness.Result(t, first), harness.Result(t, second)); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(one) && string(got) != string(other) {
		t.Errorf("got %d bytes that are neither object", len(got))
	}
	leak.Files(t, dir, "file")
}

// A relative name is relative to the working directory.
func TestDestinationRelative(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	t.Chdir(dir)

	if err := harness.Download(t, d, "k", "file"); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
	leak.Files(t, dir, "file")
}
