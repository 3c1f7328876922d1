package faults_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// The directory or the destination changes while the download runs.
func TestFaultOfTheDirectory(t *testing.T) {
	for _, c := range []struct {
		name   string
		method string // the request at which it happens
		do     func(dir, name string) error
		want   error
		left   []string
	}{
		{"removed before the temporary file", "HEAD", func(dir, _ string) error { return os.Remove(dir) }, fs.ErrNotExist, nil},
		{"removed in mid-transfer", "GET", func(dir, _ string) error { return os.RemoveAll(dir) }, sink.ErrReplaced, nil},
		{"made a file", "HEAD", func(dir, _ string) error {
			return errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0o666))
		}, syscall.ENOTDIR, nil},
		{"moved away", "GET", func(dir, _ string) error { return os.Rename(dir, dir+".away") }, sink.ErrReplaced, nil},
		{"a directory in the file's place, before", "HEAD", func(_, name string) error { return os.Mkdir(name, 0o777) }, sink.ErrNotRegular, []string{"file"}},
		{"a directory in the file's place", "GET", func(_, name string) error { return os.Mkdir(name, 0o777) }, sink.ErrNotRegular, []string{"file"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), filepath.Join(t.TempDir(), "directory")
			name := filepath.Join(dir, "file")
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			origin.Put("b", "k", harness.Content)
			done := make(chan error, 1)
			origin.Inject(s3test.Fault{Method: c.method, Times: 1, Do: func(*s3test.Server, s3test.Request) { done <- c.do(dir, name) }})
			d := harness.NewDownloader(t, origin, harness.Multipart(5, 5))
			err := harness.Download(t, d, "k", name)
			if err := harness.Wait(t, done, c.name); err != nil {
				t.Fatal(err)
			}
			harness.WantError(t, err)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want one that is %q", err, c.want)
			}
			if c.left != nil {
				leak.Files(t, dir, c.left...)
				leak.Files(t, name)
			}
			harness.WantNext(t, origin, d)
		})
	}
}
