package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A nil context panics in the goroutine of the caller, who can recover.
func TestNilContext(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	d := harness.NewDownloader(t, origin)
	var none context.Context
	for name, call := range map[string]func(){
		"DownloadFile":      func() { d.DownloadFile(none, "b", "k", filepath.Join(dir, "file")) },
		"DownloadDirectory": func() { d.DownloadDirectory(none, "b", "", dir) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); got != "processpool: nil Context" {
					t.Errorf("got panic %q, want one that names the nil Context", got)
				}
			}()
			call()
		})
	}
	if s := d.Stats(); s != (processpool.Stats{Sandbox: s.Sandbox}) {
		t.Errorf("got %+v, want nothing counted", s)
	}
}

// A relative name belongs to the working directory at the time of the call, wherever the program is
// when the file is made.
func TestRelativeNames(t *testing.T) {
	leak.Check(t)
	origin := harness.StartOrigin(t)
	origin.Put("b", "k", harness.Content)
	origin.Put("b", "tree/file", harness.Content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Gate: gate})
	here, there := t.TempDir(), t.TempDir()
	d := harness.NewDownloader(t, origin, harness.Processes(1))

	t.Chdir(here)
	var futures []*processpool.Future
	var want []string
	for i := range 50 {
		name := fmt.Sprintf("file%02d", i)
		futures = append(futures, d.DownloadFile(t.Context(), "b", "k", name))
		want = append(want, name)
	}
	all := d.DownloadDirectory(t.Context(), "b", "tree/", "all")
	t.Chdir(there)
	close(gate)
	for _, f := range futures {
		if err := harness.Result(t, f); err != nil {
			t.Fatal(err)
		}
	}
	harness.Wait(t, all.Done(), "the directory")
	if err := all.Result(); err != nil {
		t.Error(err)
	}
	if got := futures[0].Meta().Filename; got != "file00" {
		t.Errorf("Meta: got the file name %q, want it as given", got)
	}
	leak.Files(t, here, append([]string{"all"}, want...)...)
	harness.WantContent(t, filepath.Join(here, "all", "file"), harness.Content)
	leak.Files(t, there)
}

// A relative WorkerCommand is the program that it named when NewDownloader was called, and one that is
// not there is an error of NewDownloader.
func TestRelativeWorkerCommand(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(self))
	d := harness.NewDownloader(t, origin, func(c *processpool.Config) {
		c.WorkerCommand = []string{"." + string(filepath.Separator) + filepath.Base(self), "worker-with-header"}
	})
	t.Chdir(dir)
	if err := harness.Download(t, d, "k", "file"); err != nil {
		t.Error(err)
	}
	leak.Files(t, dir, "file")

	for _, command := range []string{filepath.Join(dir, "missing"), "no-such-program-in-the-path", dir} {
		_, err := processpool.NewDownloader(aws.Config{Region: "us-east-1"}, func(c *processpool.Config) { c.WorkerCommand = []string{command} })
		if err == nil || !strings.Contains(err.Error(), "WorkerCommand") || !strings.Contains(err.Error(), command) {
			t.Errorf("got %v, want an error that names WorkerCommand and %s", err, command)
		}
	}
}

// A bucket given as a URL or with a key is a mistake with one clear error.
func TestBucketWithSlash(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	d := harness.NewDownloader(t, origin)
	for _, bucket := range []string{"s3://b", "b/k", "b/"} {
		err := harness.Result(t, d.DownloadFile(t.Context(), bucket, "k", filepath.Join(dir, "file")))
		harness.WantError(t, err)
		if !strings.Contains(err.Error(), "give its name alone") {
			t.Errorf("%s: got %v", bucket, err)
		}
	}
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
}

// No text made for people has characters of a key, or of an answer, that a terminal would act on.
func TestErrorTexts(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.CreateBucket("b")
	const evil = "k\x1b]0;owned\x07\u009b31m\r\nx\u202e"
	origin.Put("b", evil, harness.Content)
	origin.Inject(s3test.Fault{Method: "GET", Key: evil, Status: 403, Code: "AccessDenied", Message: "no \x1b[31m"})
	d := harness.NewDownloader(t, origin, harness.Quickly)

	err := harness.Download(t, d, evil, filepath.Join(dir, "file"))
	var transfer *processpool.TransferError
	if !errors.As(err, &transfer) || transfer.Key != evil {
		t.Errorf("got %#v, want the key as it is", transfer)
	}
	all := harness.Directory(t, d, "", filepath.Join(dir, "all"))
	for _, err := range []error{err, all.Result()} {
		if err == nil {
			t.Fatal("got nil, want an error")
		}
		for _, r := range err.Error() {
			if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e') {
				t.Errorf("%q has the character %q", err.Error(), r)
			}
		}
		if !strings.Contains(err.Error(), `k\x1b]0;owned`) {
			t.Errorf("%q does not name the key", err.Error())
		}
	}
}

// The error of a directory says once what and where.
func TestDirectoryErrorText(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	d := harness.NewDownloader(t, origin, harness.Quickly)
	all := d.DownloadDirectory(t.Context(), "missing", "p/", dir)
	harness.Wait(t, all.Done(), "the directory")
	text := fmt.Sprint(all.Result())
	if strings.Count(text, "processpool") != 1 || strings.Count(text, "s3://") != 1 || !strings.Contains(text, ": list: ") {
		t.Errorf("got %q, want prefix and step once", text)
	}
}
