package e2e_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func noClobber(o *processpool.DownloadOptions)   { o.NoClobber = true }
func keepModTime(o *processpool.DownloadOptions) { o.KeepModTime = true }

func mode(perm fs.FileMode) func(*processpool.DownloadOptions) {
	return func(o *processpool.DownloadOptions) { o.Mode = perm }
}

// and adds an option to others.
func and(way []func(*processpool.DownloadOptions), fn ...func(*processpool.DownloadOptions)) []func(*processpool.DownloadOptions) {
	return append(way[:len(way):len(way)], fn...)
}

// wantExists fails the test unless err says, in the step op, that the destination exists.
func wantExists(t *testing.T, err error, op string) {
	t.Helper()
	harness.WantError(t, err, processpool.ErrExists, fs.ErrExist)
	if failed := err.(*processpool.TransferError); failed.Op != op || failed.Temporary() {
		t.Errorf("got %v, want a lasting error of %s", err, op)
	}
}

// NoClobber refuses a destination that exists without a request, and otherwise changes nothing.
func TestNoClobber(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			d := harness.NewDownloader(t, origin, harness.Multipart(5, 5))
			file := filepath.Join(dir, "file")
			if err := harness.Download(t, d, "k", file, and(way, noClobber)...); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, file, harness.Content)
			origin.Put("b", "k", []byte("another content"))
			origin.ResetRequests()
			wantExists(t, harness.Download(t, d, "k", file, and(way, noClobber)...), processpool.OpCheck)
			if n := len(origin.Requests()); n != 0 {
				t.Errorf("got %d requests, want none", n)
			}
			harness.WantContent(t, file, harness.Content)
			leak.Files(t, dir, "file")
		})
	}
}

// A destination that appears while the download runs stays. What had arrived is kept with Resume,
// and removed without.
func TestNoClobberLate(t *testing.T) {
	for _, method := range []string{"HEAD", "GET"} {
		for _, resume := range []bool{false, true} {
			name := method + map[bool]string{true: ", Resume"}[resume]
			t.Run(name, func(t *testing.T) {
				leak.Check(t)
				origin, dir := harness.StartOrigin(t), t.TempDir()
				want := s3test.PatternBytes(1, 100_000)
				origin.Put("b", "k", want)
				file := filepath.Join(dir, "file")
				origin.Inject(s3test.Fault{Method: method, Times: 1, Do: func(*s3test.Server, s3test.Request) {
					if err := os.WriteFile(file, []byte("another"), 0o666); err != nil {
						t.Error(err)
					}
				}})
				d := harness.Single(t, origin, 10_000)
				options := []func(*processpool.DownloadOptions){noClobber, func(o *processpool.DownloadOptions) { o.Resume = resume }}
				err := harness.Download(t, d, "k", file, options...)
				op := processpool.OpPublish
				if method == "HEAD" { // there is nothing to throw away yet
					op = map[bool]string{false: processpool.OpCreate, true: processpool.OpOpen}[resume]
				}
				wantExists(t, err, op)
				harness.WantContent(t, file, []byte("another"))
				if method == "HEAD" || !resume {
					leak.Files(t, dir, "file")
					return
				}
				leak.Files(t, dir, "file", ".file.part", ".file.part.journal")
				origin.ResetRequests()
				harness.WantResumed(t, harness.Resumed(t, d, file, want), int64(len(want)))
			})
		}
	}
}

// What a symbolic link points to decides. A link that points to nothing is followed.
func TestNoClobberLink(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	link, file := filepath.Join(dir, "link"), filepath.Join(dir, "file")
	if err := os.Symlink("file", link); err != nil {
		t.Skip(err)
	}
	if err := harness.Download(t, d, "k", link, noClobber); err != nil {
		t.Errorf("dangling: got %v, want nil", err)
	}
	harness.WantContent(t, file, harness.Content)
	wantExists(t, harness.Download(t, d, "k", link, noClobber), processpool.OpCheck)
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("got %v, %v, want the link", info, err)
	}
	leak.Files(t, dir, "file", "link")
}

// What is there and is no file is refused as ever.
func TestNoClobberDirectory(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	d := harness.NewDownloader(t, origin)
	harness.WantError(t, harness.Download(t, d, "k", dir, noClobber), sink.ErrNotRegular)
}

// Of downloads to one file, one succeeds.
func TestNoClobberMany(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	d := harness.NewDownloader(t, origin)
	var futures []*processpool.Future
	for range 20 {
		futures = append(futures, d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), noClobber))
	}
	done := 0
	for _, f := range futures {
		if err := harness.Result(t, f); err == nil {
			done++
		} else {
			harness.WantError(t, err, processpool.ErrExists)
		}
	}
	if done != 1 {
		t.Errorf("%d downloads succeeded, want 1", done)
	}
	harness.WantContent(t, filepath.Join(dir, "file"), harness.Content)
	leak.Files(t, dir, "file")
}

// In a directory, a file that exists is the failure of one object.
func TestNoClobberInDirectory(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "a", harness.Content)
	origin.Put("b", "d/b", harness.Content)
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	d := harness.NewDownloader(t, origin)
	all := harness.Directory(t, d, "", dir, func(o *processpool.DirectoryOptions) { o.Options = and(nil, noClobber) })
	failed := harness.WantDirectoryError(t, all.Result(), 1, processpool.ErrExists, fs.ErrExist)
	if len(failed.Failures) != 1 || failed.Failures[0].Key != "a" {
		t.Errorf("got failures %v, want that of a", failed.Failures)
	}
	harness.WantContent(t, filepath.Join(dir, "a"), []byte("old"))
	harness.WantContent(t, filepath.Join(dir, "d", "b"), harness.Content)
	harness.WantTree(t, dir, "a", "d/", "d/b")
}

// KeepModTime gives the file the object's time, in whole seconds, however the object is learned of.
func TestKeepModTime(t *testing.T) {
	want := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for name, way := range ways {
		for _, durable := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", Durable"}[durable], func(t *testing.T) {
				leak.Check(t)
				origin, dir := harness.StartOrigin(t), t.TempDir()
				origin.Put("b", "k", harness.Content, func(o *s3test.Object) { o.LastModified = want.Add(7 * time.Millisecond) })
				origin.Put("b", "empty", nil, func(o *s3test.Object) { o.LastModified = want })
				d := harness.NewDownloader(t, origin, harness.Multipart(5, 5), func(c *processpool.Config) { c.Durable = durable })
				for _, key := range []string{"k", "empty"} {
					if key == "empty" && name == "ExpectedSize" {
						continue
					}
					file := filepath.Join(dir, key)
					if err := harness.Download(t, d, key, file, and(way, keepModTime)...); err != nil {
						t.Fatal(err)
					}
					if info, err := os.Stat(file); err != nil || !info.ModTime().Equal(want) {
						t.Errorf("%s: got %v, %v, want %v", key, info.ModTime(), err, want)
					}
				}
				file := filepath.Join(dir, "k")
				if err := harness.Download(t, d, "k", file, way...); err != nil {
					t.Fatal(err)
				}
				if info, err := os.Stat(file); err != nil || time.Since(info.ModTime()) > time.Hour {
					t.Errorf("without: got %v, %v, want now", info.ModTime(), err)
				}
			})
		}
	}
}

// Mode is the file's, whether or not it replaces one, and whoever began it.
func TestModeOption(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits")
	}
	for name, way := range ways {
		for _, want := range []fs.FileMode{0o600, 0o666, 0o777, 0o444, 0o001} {
			t.Run(name+", "+want.String(), func(t *testing.T) {
				leak.Check(t)
				origin, dir := harness.StartOrigin(t), t.TempDir()
				origin.Put("b", "k", harness.Content)
				d := harness.NewDownloader(t, origin, harness.Multipart(5, 5))
				file := filepath.Join(dir, "file")
				for _, what := range []string{"new", "replaced"} {
					if err := harness.Download(t, d, "k", file, and(way, mode(want))...); err != nil {
						t.Fatal(err)
					}
					if info, err := os.Stat(file); err != nil || info.Mode() != want {
						t.Errorf("%s: got %v, %v, want %v", what, info.Mode(), err, want)
					}
					if err := os.Chmod(file, 0o640); err != nil {
						t.Fatal(err)
					}
				}
				if err := harness.Download(t, d, "k", file, way...); err != nil {
					t.Fatal(err)
				}
				if info, err := os.Stat(file); err != nil || info.Mode() != 0o640 {
					t.Errorf("without: got %v, %v, want that of the file replaced", info.Mode(), err)
				}
				leak.Files(t, dir, "file")
			})
		}
	}
}

// A download that resumes has the options of its own call.
func TestModeResumed(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	want, at := s3test.PatternBytes(1, 100_000), time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	origin.Put("b", "k", want, func(o *s3test.Object) { o.LastModified = at })
	d := harness.Single(t, origin, 10_000)
	file := filepath.Join(dir, "file")
	harness.Interrupt(t, origin, d, file, 50_000)
	f := d.DownloadFile(t.Context(), "b", "k", file, harness.Resume, noClobber, keepModTime, mode(0o606))
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	harness.WantResumed(t, f.Object(), 50_000)
	harness.WantContent(t, file, want)
	leak.Files(t, dir, "file")
	info, err := os.Stat(file)
	if err != nil || !info.ModTime().Equal(at) || runtime.GOOS != "windows" && info.Mode() != 0o606 {
		t.Errorf("got %v, %v, %v, want 0606 and %v", info.Mode(), info.ModTime(), err, at)
	}
}

// Bits that are no permissions are refused before any request, with everything else that is wrong.
func TestModeRefused(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	d := harness.NewDownloader(t, origin)
	for _, bits := range []fs.FileMode{fs.ModeSetuid | 0o755, fs.ModeDir, fs.ModeSticky, 0o1000, 0o4755} {
		err := harness.Download(t, d, "", filepath.Join(dir, "file"), mode(bits))
		harness.WantError(t, err)
		for _, word := range []string{"Mode is ", "no key given"} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%v: got %v, want %q in it", bits, err, word)
			}
		}
	}
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	leak.Files(t, dir)
}
