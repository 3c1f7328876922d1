package e2e_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// create creates a file with some content, open for reading and writing, at another offset than 0.
func create(t *testing.T, name, content string) *os.File {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.WriteString(content); err != nil {
		t.Fatal(err)
	}
	return f
}

// to downloads b/k to an open file and returns the result.
func to(t *testing.T, d *processpool.Downloader, f *os.File, optFns ...func(*processpool.DownloadOptions)) error {
	t.Helper()
	return harness.Result(t, d.DownloadTo(t.Context(), "b", "k", f, optFns...))
}

// The object arrives in the open file from offset 0 on, which is cut or extended to its size.
func TestDownloadTo(t *testing.T) {
	for way, fns := range ways {
		if way == "Resume" {
			continue
		}
		for _, before := range []string{"", "old", strings.Repeat("older", 100)} {
			for _, content := range [][]byte{harness.Content, nil} {
				t.Run(fmt.Sprintf("%s,before=%d,size=%d", way, len(before), len(content)), func(t *testing.T) {
					leak.Check(t)
					origin, dir := harness.StartOrigin(t), t.TempDir()
					origin.Put("b", "k", content)
					d := harness.NewDownloader(t, origin, harness.Multipart(4, 4))
					name := filepath.Join(dir, "file")
					f := create(t, name, before)
					fns := fns
					if len(content) == 0 && way == "ExpectedSize" {
						fns = []func(*processpool.DownloadOptions){harness.Expect(0)}
					}
					future := d.DownloadTo(t.Context(), "b", "k", f, fns...)
					if err := harness.Result(t, future); err != nil {
						t.Fatal(err)
					}
					harness.WantContent(t, name, content)
					if at, err := f.Seek(0, io.SeekCurrent); err != nil || at != int64(len(before)) {
						t.Errorf("the file's offset is %d, %v, and was %d", at, err, len(before))
					}
					if m := future.Meta(); m.Filename != name || m.Bucket != "b" {
						t.Errorf("got %+v", m)
					}
					leak.Files(t, dir, "file")
				})
			}
		}
	}
}

// The caller may close the file as soon as DownloadTo has returned; a range of the object goes to
// offset 0.
func TestDownloadToClosedAtOnce(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	name := filepath.Join(dir, "file")
	f := create(t, name, "")
	future := d.DownloadTo(t.Context(), "b", "k", f, part(3, 4))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := harness.Result(t, future); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, name, harness.Content[3:7])
}

// What cannot be written to is refused before any request, in words that say what it is.
func TestDownloadToRefused(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	open := func(name string, flag int) *os.File {
		f, err := os.OpenFile(name, flag, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	name := filepath.Join(dir, "file")
	create(t, name, "old")
	closed := open(name, os.O_RDWR)
	closed.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for _, c := range []struct {
		file *os.File
		set  func(*processpool.DownloadOptions)
		text string
		want error
	}{
		{nil, nil, "no file given", nil},
		{closed, nil, "closed", fs.ErrClosed},
		{open(name, os.O_RDONLY), nil, "reading only", sink.ErrNotWritable},
		{open(name, os.O_RDWR|os.O_APPEND), nil, "appending", sink.ErrNotWritable},
		{w, nil, "pipe", sink.ErrNotRegular},
		{open(dir, os.O_RDONLY), nil, "directory", sink.ErrNotRegular},
		{open(os.DevNull, os.O_RDWR), nil, "device", sink.ErrNotRegular},
		{open(name, os.O_RDWR), harness.Resume, "Resume", nil},
		{open(name, os.O_RDWR), func(o *processpool.DownloadOptions) { o.NoClobber = true }, "NoClobber", nil},
	} {
		if c.set == nil {
			c.set = func(*processpool.DownloadOptions) {}
		}
		if runtime.GOOS == "windows" && c.file != nil && c.file.Name() == os.DevNull {
			continue
		}
		err := to(t, d, c.file, c.set)
		if c.want != nil {
			harness.WantError(t, err, c.want)
		}
		if e := harness.TransferError(t, err); e.Op != processpool.OpCheck || !strings.Contains(err.Error(), c.text) || e.Temporary() {
			t.Errorf("got %v, want an error of the check that says %q", err, c.text)
		}
	}
	if n := len(origin.Requests()); n > 0 {
		t.Errorf("%d requests, want none", n)
	}
	harness.WantContent(t, name, []byte("old"))
}

// Neither a refusal nor Shutdown leaves the descriptor open.
func TestDownloadToAfterShutdown(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "another", nil)
	d := harness.NewDownloader(t, origin)
	f := create(t, filepath.Join(dir, "file"), "old")
	harness.WantError(t, to(t, d, f)) // there is no such object
	harness.WantError(t, to(t, d, f, func(o *processpool.DownloadOptions) { o.IfMatch = "*" }))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	harness.WantError(t, harness.Result(t, d.DownloadTo(ctx, "b", "k", f)), processpool.ErrCanceled)
	harness.Shutdown(t, d)
	harness.WantError(t, to(t, d, f), processpool.ErrShutdown)
	harness.WantContent(t, f.Name(), []byte("old"))
}

// The file has the mode and the time that are asked for.
func TestDownloadToAttributes(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	modified := origin.Put("b", "k", harness.Content).LastModified
	d := harness.NewDownloader(t, origin)
	name := filepath.Join(dir, "file")
	f := create(t, name, strings.Repeat("old", 10))
	if err := to(t, d, f, func(o *processpool.DownloadOptions) { o.KeepModTime, o.Mode, o.Durable = true, 0o604, true }); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if !info.ModTime().Equal(modified) || runtime.GOOS != "windows" && info.Mode() != 0o604 {
		t.Errorf("got %v and %v, want %v and %v", info.ModTime(), info.Mode(), modified, fs.FileMode(0o604))
	}
}

// A download that is canceled ends when no worker writes to the caller's file any more.
func TestDownloadToCanceled(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	content := s3test.PatternBytes(1, 4*harness.MiB)
	origin.Put("b", "k", content)
	origin.Inject(s3test.Fault{Method: "GET", Stall: true, StallAfter: harness.MiB / 2})
	d := harness.NewDownloader(t, origin, harness.Multipart(harness.MiB, harness.MiB), harness.Processes(4), harness.Unhurried)
	f := create(t, filepath.Join(dir, "file"), "")
	future := d.DownloadTo(t.Context(), "b", "k", f)
	harness.Arrive(t, origin, 4, "GET")
	future.Cancel()
	harness.WantCanceled(t, future)

	origin.ClearFaults()
	if err := to(t, d, f); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, f.Name(), content)
	leak.Files(t, dir, "file")
}
