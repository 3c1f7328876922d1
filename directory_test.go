package processpool_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// pages has listings come in pages of n keys.
func pages(n int) func(*s3test.Options) {
	return func(o *s3test.Options) { o.PageSize = n }
}

func isList(r s3test.Request) bool { return r.Query.Get("list-type") == "2" }

func isGet(r s3test.Request) bool { return r.Method == "GET" && r.Key != "" }

// lists returns the requests for a page so far.
func lists(origin *s3test.Server) []s3test.Request {
	return slices.DeleteFunc(origin.Requests(), func(r s3test.Request) bool { return !isList(r) })
}

// directory downloads prefix of b to dir, and returns the Directory when it has ended.
func directory(t *testing.T, d *processpool.Downloader, prefix, dir string, optFns ...func(*processpool.DirectoryOptions)) *processpool.Directory {
	t.Helper()
	all := d.DownloadDirectory(t.Context(), "b", prefix, dir, optFns...)
	wait(t, all.Done(), "the end of the directory")
	return all
}

func hasEnded(d *processpool.Directory) bool {
	select {
	case <-d.Done():
		return true
	default:
		return false
	}
}

// reach waits until a request that matches has reached the origin.
func reach(t *testing.T, origin *s3test.Server, match func(s3test.Request) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := origin.WaitRequests(ctx, 1, match); err != nil {
		t.Fatal(err)
	}
}

// wantTree fails the test unless dir holds exactly these, with slashes between and
// behind directories.
func wantTree(t *testing.T, dir string, want ...string) {
	t.Helper()
	got := []string{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		name, err = filepath.Rel(dir, name)
		name = filepath.ToSlash(name)
		if e.IsDir() {
			name += "/"
		}
		got = append(got, name)
		return err
	})
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("tree: got %q, %v, want %q", got, err, want)
	}
}

// wantDirectoryError fails the test unless err is a DirectoryError with so many
// objects failed, that is all of want.
func wantDirectoryError(t *testing.T, err error, failed int64, want ...error) *processpool.DirectoryError {
	t.Helper()
	var all *processpool.DirectoryError
	if !errors.As(err, &all) {
		t.Fatalf("got error %v (%T), want a *DirectoryError", err, err)
	}
	if all.Failed != failed {
		t.Errorf("got %d failed in %q, want %d", all.Failed, err, failed)
	}
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("got error %q, want one that is %q", err, w)
		}
	}
	return all
}

func TestDirectory(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t, pages(3)), t.TempDir()
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
	origin.Put("b", "pq", content)
	origin.Put("b", "q/a", content)
	d := newDownloader(t, origin)
	var started, ended []string

	all := directory(t, d, "p/", filepath.Join(dir, "new", "out"), func(o *processpool.DirectoryOptions) {
		o.OnStart = func(f *processpool.Future) {
			started = append(started, f.Meta().Key)
			if isDone(f) {
				t.Errorf("%s: is done before it has started", f.Meta().Key)
			}
		}
		o.OnFile = func(f *processpool.Future) {
			ended = append(ended, f.Meta().Key)
			if !isDone(f) || f.Result() != nil {
				t.Errorf("%s: got done %v, %v", f.Meta().Key, isDone(f), f.Result())
			}
		}
	})
	if err := all.Result(); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "new", "out")
	wantTree(t, out, "a", "a b+c%20", "d/", "d/1", "d/2/", "d/2/x", "e/", "e/f/", "empty", "ü\u2028日", "\x01<&>", "z.8f8f8f8f")
	var bytes int64
	for i, key := range keys {
		if data := s3test.PatternBytes(uint64(i), int64(10*i)); !strings.HasSuffix(key, "/") && key != "p/empty" {
			bytes += int64(len(data))
			wantContent(t, filepath.Join(out, strings.TrimPrefix(key, "p/")), data)
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

// A file's name is the key behind the last slash of the prefix.
func TestDirectoryPrefix(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	for _, key := range []string{"a", "p/x", "p1/x", "p1/y/z"} {
		origin.Put("b", key, content)
	}
	d := newDownloader(t, origin)
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
			if err := directory(t, d, prefix, dir).Result(); err != nil {
				t.Fatal(err)
			}
			wantTree(t, dir, want...)
		})
	}
	dir := t.TempDir()
	if err := directory(t, d, "none", filepath.Join(dir, "new")).Result(); err != nil {
		t.Error(err)
	}
	wantTree(t, dir) // no directory is made for no object
}

func TestDirectoryFlat(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t, pages(2)), t.TempDir()
	for _, key := range []string{"p/", "p/1", "p/d/", "p/d/x", "p/d/y", "p/e/z", "p/z"} {
		data := content
		if strings.HasSuffix(key, "/") {
			data = nil
		}
		origin.Put("b", key, data)
	}
	d := newDownloader(t, origin)
	all := directory(t, d, "p/", dir, func(o *processpool.DirectoryOptions) { o.Flat = true })
	if err := all.Result(); err != nil {
		t.Fatal(err)
	}
	wantTree(t, dir, "1", "z")
	if got := all.Progress().Listed; got != 3 {
		t.Errorf("got %d listed, want 3", got)
	}
}

func TestDirectoryFilter(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	put := origin.Put("b", "yes", content)
	origin.Put("b", "no", content)
	d := newDownloader(t, origin)
	var got processpool.ObjectInfo
	all := directory(t, d, "", dir, func(o *processpool.DirectoryOptions) {
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
	wantTree(t, dir, "yes")
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
	origin, dir := startOrigin(t), t.TempDir()
	modified := time.Date(2020, 2, 29, 12, 0, 0, 0, time.UTC)
	put := func(key string, data []byte, at time.Time) {
		origin.Put("b", key, data, func(o *s3test.Object) { o.LastModified = at })
	}
	put("same", content, modified)
	put("d/resized", content, modified)
	put("touched", content, modified)
	put("rewritten", content, modified.Add(123*time.Millisecond)) // some list more than HTTP's header can tell
	d := newDownloader(t, origin)
	kept := func(o *processpool.DirectoryOptions) { o.KeepModTime = true }
	unchanged := func(o *processpool.DirectoryOptions) { o.SkipUnchanged = true }

	if err := directory(t, d, "", dir, kept).Result(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"same", "d/resized", "touched", "rewritten"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.ModTime().Equal(modified) {
			t.Errorf("%s: got %v, %v, want %v", name, info.ModTime(), err, modified)
		}
	}
	origin.ResetRequests()
	all := directory(t, d, "", dir, unchanged)
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
	all = directory(t, d, "", dir, unchanged)
	if p := all.Progress(); all.Result() != nil || p.Skipped != 1 || p.Done != 3 || p.BytesDone != 22 || p.BytesTotal != 22 {
		t.Errorf("three changed: got %+v, %v, want 1 skipped and 3 done", p, all.Result())
	}
	wantContent(t, filepath.Join(dir, "rewritten"), []byte("my Content"))
	wantContent(t, filepath.Join(dir, "d", "resized"), []byte("my"))
	if info, err := os.Stat(filepath.Join(dir, "rewritten")); err != nil || !info.ModTime().Equal(later) {
		t.Errorf("rewritten: got %v, %v, want %v", info.ModTime(), err, later)
	}
}

// Keys that would lead out are refused, each by itself, before any request for them;
// the others are downloaded.
func TestDirectoryUnsafeKeys(t *testing.T) {
	leak.Check(t)
	origin, dir, outside := startOrigin(t), t.TempDir(), t.TempDir()
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
		origin.Put("b", key, content)
	}
	origin.Put("b", "p/link/marker/", nil)
	d := newDownloader(t, origin)
	var refused []string
	all := directory(t, d, "p/", dir, func(o *processpool.DirectoryOptions) {
		o.OnFile = func(f *processpool.Future) {
			if errors.Is(f.Result(), processpool.ErrUnsafeKey) {
				refused = append(refused, f.Meta().Key)
			} else if f.Result() != nil {
				t.Error(f.Result())
			}
		}
	})
	err := wantDirectoryError(t, all.Result(), int64(len(bad)), processpool.ErrUnsafeKey)
	if err.Listed != int64(len(bad)+2) || err.Err != nil || len(err.Failures) != 10 {
		t.Errorf("got %d listed, %v, %d failures", err.Listed, err.Err, len(err.Failures))
	}
	if text, want := err.Error(), "13 of 15 objects failed, 10 of them:\nprocesspool: check s3://b/p/.. to "; !strings.Contains(text, want) {
		t.Errorf("got %q, want it to contain %q", text, want)
	}
	slices.Sort(bad)
	slices.Sort(refused)
	if !slices.Equal(refused, bad) {
		t.Errorf("got %q refused, want %q", refused, bad)
	}
	wantTree(t, dir, "good", "d/", "d/good", "link", "file", "dangling")
	wantTree(t, outside, "secret")
	wantContent(t, secret, []byte("old"))
	for _, r := range origin.Requests() {
		if slices.Contains(bad, r.Key) {
			t.Errorf("got a request for %q", r.Key)
		}
	}
}

// Where one key's file must be another's directory, the one that comes first is there.
func TestDirectoryFileAndDirectory(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	for _, key := range []string{"a", "a/b", "c/d", "e"} {
		origin.Put("b", key, content)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "e"), 0o777), os.WriteFile(filepath.Join(dir, "c"), []byte("old"), 0o666)); err != nil {
		t.Fatal(err)
	}
	d := newDownloader(t, origin)
	all := directory(t, d, "", dir)
	err := wantDirectoryError(t, all.Result(), 3, processpool.ErrUnsafeKey, syscall.ENOTDIR, syscall.EISDIR)
	for _, failure := range err.Failures {
		if !errors.Is(failure, processpool.ErrUnsafeKey) {
			t.Errorf("got %v, want ErrUnsafeKey", failure)
		}
	}
	wantTree(t, dir, "a", "c", "e/")
	wantContent(t, filepath.Join(dir, "c"), []byte("old"))

	// The same, when the file is there long since.
	all = directory(t, d, "a", dir)
	wantDirectoryError(t, all.Result(), 1, processpool.ErrUnsafeKey, syscall.ENOTDIR)
	wantTree(t, dir, "a", "c", "e/")
}

// With Resume an object does not get the name under which another is unfinished.
func TestDirectoryResume(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	for _, key := range []string{".k.part", ".k.part.journal", "d/.K.PART", "k", ".part", "k.part"} {
		origin.Put("b", key, content)
	}
	d := newDownloader(t, origin)
	all := directory(t, d, "", dir, func(o *processpool.DirectoryOptions) {
		o.Options = append(o.Options, func(o *processpool.DownloadOptions) { o.Resume = true })
	})
	wantDirectoryError(t, all.Result(), 4, processpool.ErrUnsafeKey)
	wantTree(t, dir, "k", "k.part")
	if err := directory(t, d, "", dir).Result(); err != nil {
		t.Errorf("without Resume: %v", err)
	}
	wantTree(t, dir, ".k.part", ".k.part.journal", "d/", "d/.K.PART", "k", ".part", "k.part")
}

func TestDirectoryFailures(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	for i := range 30 {
		origin.Put("b", fmt.Sprintf("%02d", i), content)
	}
	origin.Inject(s3test.Fault{Match: func(r s3test.Request) bool { return isGet(r) && r.Key < "12" }, Status: 403})
	d := newDownloader(t, origin)
	all := directory(t, d, "", dir)
	err := wantDirectoryError(t, all.Result(), 12)
	var api smithy.APIError
	if !errors.As(err, &api) || err.Err != nil || len(err.Failures) != 10 || err.Listed != 30 {
		t.Errorf("got %v, %d failures, %d listed", err.Err, len(err.Failures), err.Listed)
	}
	if p := all.Progress(); p.Done != 18 || p.Failed != 12 || p.BytesDone != 180 || p.BytesTotal != 300 {
		t.Errorf("got %+v", p)
	}
}

// What was begun is canceled with the first failure, and nothing more is begun.
func TestDirectoryStopOnError(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t, pages(10)), t.TempDir()
	for i := range 200 {
		origin.Put("b", fmt.Sprintf("%03d", i), content)
	}
	origin.Inject(s3test.Fault{Key: "001", Status: 403})
	origin.Inject(s3test.Fault{Match: isGet, Stall: true, Gate: make(chan struct{})})
	d := newDownloader(t, origin)
	all := directory(t, d, "", dir, func(o *processpool.DirectoryOptions) { o.StopOnError = true })
	err := wantDirectoryError(t, all.Result(), 1)
	if err.Err != nil || errors.Is(err, processpool.ErrCanceled) || err.Failures[0].Key != "001" {
		t.Errorf("got %v, want the failure of 001 alone", err)
	}
	p := all.Progress()
	if p.Failed != 1 || p.Done != 0 || p.Canceled == 0 || p.Complete {
		t.Errorf("got %+v", p)
	}
	wantTree(t, dir)
}

func TestDirectoryCancel(t *testing.T) {
	for _, during := range []string{"the listing", "the downloads"} {
		for _, how := range []string{"Cancel", "context"} {
			t.Run(how+" during "+during, func(t *testing.T) {
				leak.Check(t)
				origin, dir := startOrigin(t, pages(10)), t.TempDir()
				for i := range 20 {
					origin.Put("b", fmt.Sprintf("%02d", i), content)
				}
				fault := s3test.Fault{Match: isGet, Gate: make(chan struct{})}
				if during == "the listing" {
					fault = s3test.Fault{Match: isList, Gate: make(chan struct{})}
				}
				origin.Inject(fault)
				d := newDownloader(t, origin)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				all := d.DownloadDirectory(ctx, "b", "", dir)
				reach(t, origin, fault.Match)
				cause := error(nil)
				if how == "Cancel" {
					all.Cancel()
				} else {
					cause = errors.New("the caller's own")
					cancel(cause)
				}
				wait(t, all.Done(), "the end of the directory")
				err := wantDirectoryError(t, all.Result(), 0, processpool.ErrCanceled, context.Canceled)
				if cause != nil && !errors.Is(err, cause) {
					t.Errorf("got %v, want one that is %v", err, cause)
				}
				if p := all.Progress(); p.Failed != 0 || p.Done != 0 {
					t.Errorf("got %+v", p)
				}
				all.Cancel()
				wantTree(t, dir)
				shutdown(t, d)
			})
		}
	}
}

// A cancel that comes too late changes nothing.
func TestDirectoryCancelAfterwards(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	d := newDownloader(t, origin)
	all := directory(t, d, "", dir)
	all.Cancel()
	if err := all.Result(); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

func TestDirectoryListingFails(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t, pages(1)), t.TempDir()
	origin.Put("b", "k1", content)
	origin.Put("b", "k2", content)
	d := newDownloader(t, origin)

	all := d.DownloadDirectory(t.Context(), "missing", "p/", filepath.Join(dir, "new"))
	wait(t, all.Done(), "the end of the directory")
	err := wantDirectoryError(t, all.Result(), 0)
	var transfer *processpool.TransferError
	var noBucket *types.NoSuchBucket
	if !errors.As(err, &transfer) || transfer.Op != "list" || !errors.As(err, &noBucket) {
		t.Errorf("got %v, want NoSuchBucket of the listing", err)
	}
	leak.Files(t, dir)

	// The second page is refused: what the first has listed is there all the same.
	origin.Inject(s3test.Fault{Match: func(r s3test.Request) bool { return isList(r) && r.Query.Has("continuation-token") }, Status: 403})
	all = directory(t, d, "", dir)
	err = wantDirectoryError(t, all.Result(), 0)
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "AccessDenied" || all.Progress().Complete {
		t.Errorf("got %v, %+v, want AccessDenied", err, all.Progress())
	}
	wantTree(t, dir, "k1")
}

// Listings are retried as other requests are.
func TestDirectoryListingIsRetried(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	d := newDownloader(t, origin, func(c *processpool.Config) { c.MaxAttempts = 3 })
	origin.Inject(s3test.Fault{Match: isList, Status: 500, Times: 1})
	origin.Inject(s3test.Fault{Match: isList, Cut: true, CutAfter: 20, Times: 1})
	if err := directory(t, d, "", dir).Result(); err != nil {
		t.Error(err)
	}
	wantTree(t, dir, "k")
	origin.Inject(s3test.Fault{Match: isList, Status: 500})
	wantDirectoryError(t, directory(t, d, "", dir).Result(), 0, processpool.ErrRetriesExceeded)
}

// What a listing and its downloads are asked with.
func TestDirectoryArguments(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	d := newDownloader(t, origin)
	owner := func(id string) func(*processpool.DirectoryOptions) {
		return func(o *processpool.DirectoryOptions) {
			o.Options = append(o.Options, func(o *processpool.DownloadOptions) {
				o.ExtraArgs.ExpectedBucketOwner, o.ExtraArgs.RequestPayer = id, types.RequestPayerRequester
			})
		}
	}
	if err := directory(t, d, "", dir, owner(s3test.DefaultOwner)).Result(); err != nil {
		t.Error(err)
	}
	for _, r := range origin.Requests() {
		if r.Header.Get("X-Amz-Request-Payer") != "requester" {
			t.Errorf("%s %s: got no X-Amz-Request-Payer", r.Method, r.Key)
		}
	}
	if err := directory(t, d, "", dir, owner("999999999999")).Result(); err == nil {
		t.Error("another owner: got no error")
	}
	origin.ResetRequests()

	file := filepath.Join(dir, "k")
	size := int64(1)
	for _, c := range []struct {
		bucket, prefix, dir string
		options             processpool.DownloadOptions
		want                string
	}{
		{"", "", dir, processpool.DownloadOptions{}, "no bucket"},
		{"b", "", "", processpool.DownloadOptions{}, "no directory"},
		{"b", "", "a\x00", processpool.DownloadOptions{}, "NUL"},
		{"b", "\xff", dir, processpool.DownloadOptions{}, "prefix"},
		{"b", "", dir, processpool.DownloadOptions{ExpectedSize: &size}, "ExpectedSize"},
		{"b", "", dir, processpool.DownloadOptions{ExtraArgs: processpool.ExtraArgs{VersionId: "v"}}, "VersionId"},
		{"b", "", dir, processpool.DownloadOptions{ExtraArgs: processpool.ExtraArgs{ChecksumMode: "x"}}, "ChecksumMode"},
		{"b", "", file, processpool.DownloadOptions{}, "not a directory"},
		{"b", "", filepath.Join(file, "below"), processpool.DownloadOptions{}, "not a directory"},
	} {
		all := d.DownloadDirectory(t.Context(), c.bucket, c.prefix, c.dir, func(o *processpool.DirectoryOptions) {
			o.Options = append(o.Options, func(o *processpool.DownloadOptions) { *o = c.options })
		})
		wait(t, all.Done(), "the end of the directory")
		if err := wantDirectoryError(t, all.Result(), 0); !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %q, want it to name %q", err, c.want)
		}
	}
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
}

// A Directory has no more downloads begun than its window holds.
func TestDirectoryWindow(t *testing.T) {
	leak.Check(t)
	const window, total = 100, 250
	origin, dir := startOrigin(t), t.TempDir()
	for i := range total {
		origin.Put("b", fmt.Sprintf("%03d", i), content)
	}
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Match: isGet, Gate: gate})
	d := newDownloader(t, origin)
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
	wait(t, full, "the window to be full")
	close(gate)
	wait(t, all.Done(), "the end of the directory")
	if err := all.Result(); err != nil || most != window || begun != 0 {
		t.Errorf("got %v, %d at once, %d left, want %d and none", err, most, begun, window)
	}
	if p := all.Progress(); p.Done != total {
		t.Errorf("got %+v", p)
	}
}

// The next page is asked for when all objects of the one before have begun and the
// window has room.
func TestDirectoryPages(t *testing.T) {
	leak.Check(t)
	const window, size, total = 100, 60, 250
	origin, dir := startOrigin(t, pages(size)), t.TempDir()
	for i := range total {
		origin.Put("b", fmt.Sprintf("%03d", i), content)
	}
	d := newDownloader(t, origin)
	var begun, ended, asked atomic.Int64
	origin.OnRequest(func(r s3test.Request) {
		if !isList(r) {
			return
		}
		page := asked.Add(1) - 1
		if begun.Load() != page*size || begun.Load()-ended.Load() >= window {
			t.Errorf("page %d: %d have begun, %d ended", page, begun.Load(), ended.Load())
		}
	})
	all := directory(t, d, "", dir, func(o *processpool.DirectoryOptions) {
		o.OnStart = func(*processpool.Future) { begun.Add(1) }
		o.OnFile = func(*processpool.Future) { ended.Add(1) }
	})
	if p := all.Progress(); all.Result() != nil || p.Done != total || asked.Load() != 5 {
		t.Errorf("got %v, %+v, %d pages", all.Result(), p, asked.Load())
	}
}

// Shutdown waits for a Directory, also for what it has yet to begin, and refuses a new
// one.
func TestDirectoryShutdown(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t, pages(2)), t.TempDir()
	for i := range 20 {
		origin.Put("b", fmt.Sprint(i), content)
	}
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Match: isList, Gate: gate})
	d := newDownloader(t, origin)
	all := d.DownloadDirectory(t.Context(), "b", "", dir)
	reach(t, origin, isList)
	ended := make(chan struct{})
	go func() { defer close(ended); d.Shutdown() }()
	for d.Start() == nil { // until Shutdown has begun
	}
	late := directory(t, d, "", dir)
	wantDirectoryError(t, late.Result(), 0, processpool.ErrShutdown)
	select {
	case <-ended:
		t.Error("Shutdown returned with a directory under way")
	default:
	}
	close(gate)
	wait(t, ended, "the end of Shutdown")
	if !hasEnded(all) || all.Result() != nil || all.Progress().Done != 20 {
		t.Errorf("got done %v, %v, %+v", hasEnded(all), all.Result(), all.Progress())
	}
}

// Two Directories, and single downloads beside them, are served side by side.
func TestDirectoryBesideOthers(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t, pages(7))
	one, two := t.TempDir(), t.TempDir()
	for i := range 50 {
		origin.Put("b", fmt.Sprint("d/", i), content)
	}
	d := newDownloader(t, origin)
	first := d.DownloadDirectory(t.Context(), "b", "", one)
	second := d.DownloadDirectory(t.Context(), "b", "d/", two)
	single := d.DownloadFile(t.Context(), "b", "d/1", filepath.Join(t.TempDir(), "file"))
	wait(t, first.Done(), "the first")
	wait(t, second.Done(), "the second")
	if err := errors.Join(first.Result(), second.Result(), result(t, single)); err != nil {
		t.Error(err)
	}
	if first.Progress().Done != 50 || second.Progress().Done != 50 {
		t.Errorf("got %+v, %+v", first.Progress(), second.Progress())
	}
}
