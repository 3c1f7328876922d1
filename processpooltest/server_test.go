//go:build unix || windows

package processpooltest_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/processpooltest"
)

// newDownloader returns a Downloader of two workers that is shut down before the server closes.
func newDownloader(t *testing.T, cfg aws.Config) *processpool.Downloader {
	t.Helper()
	d, err := processpool.NewDownloader(cfg, func(c *processpool.Config) { c.MaxRequestProcesses = 2 })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// download returns the Object and the content of b/key.
func download(t *testing.T, d *processpool.Downloader, key string, optFns ...func(*processpool.DownloadOptions)) (processpool.Object, []byte, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	o, err := d.DownloadFile(t.Context(), "b", key, file, optFns...).Wait(t.Context())
	if err != nil {
		return o, nil, err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return o, content, nil
}

// wantDownload fails the test unless b/key is the content, and the download's Object is that of Put.
func wantDownload(t *testing.T, d *processpool.Downloader, key string, content []byte, want processpool.Object) {
	t.Helper()
	got, data, err := download(t, d, key)
	if err != nil {
		t.Errorf("%s: %v", key, err)
		return
	}
	if !bytes.Equal(data, content) {
		t.Errorf("%s: got other content", key)
	}
	want.Verified = got.Verified
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want that of Put, %+v", key, got, want)
	}
}

func TestPut(t *testing.T) {
	leak.Check(t)
	server := processpooltest.NewServer(t)
	d := newDownloader(t, server.Config())
	content := bytes.Repeat([]byte("0123456789"), 1000)
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)

	wantDownload(t, d, "plain", content, server.Put("b", "plain", content))
	wantDownload(t, d, "large", large, server.Put("b", "large", large))
	wantDownload(t, d, "a key/../with everything +%", nil, server.Put("b", "a key/../with everything +%", nil))
	wantDownload(t, d, "typed", content, server.Put("b", "typed", content, func(o *processpooltest.PutOptions) {
		o.ContentType = "text/plain"
		o.Metadata = map[string]string{"Author": "me"}
		o.Header = map[string]string{"content-encoding": "x", "x-amz-storage-class": "STANDARD_IA"}
	}))
	for _, alg := range append(types.ChecksumAlgorithm("").Values(), "") {
		for _, parts := range [][]int64{nil, {6000, 4000}} {
			key := string(alg) + strings.Repeat("-parts", min(1, len(parts)))
			o := server.Put("b", key+"x", content, func(o *processpooltest.PutOptions) {
				o.ChecksumAlgorithm, o.Parts = alg, parts
			})
			wantDownload(t, d, key+"x", content, o)
			composite := len(o.Checksums) > 0 && strings.HasSuffix(o.Checksums[0].Value, "-2")
			if want := parts != nil && alg != "" && alg != "CRC64NVME"; composite != want {
				t.Errorf("%s: composite: got %v, want %v", key, composite, want)
			}
		}
	}

	mine := []byte("abc")
	o := server.Put("b", "copied", mine)
	mine[0] = 'x'
	wantDownload(t, d, "copied", []byte("abc"), o)
}

func TestPutPanics(t *testing.T) {
	server := processpooltest.NewServer(t)
	for want, set := range map[string]func(*processpooltest.PutOptions){
		"the parts have 2 bytes": func(o *processpooltest.PutOptions) { o.Parts = []int64{2} },
		"a part has -1 bytes":    func(o *processpooltest.PutOptions) { o.Parts = []int64{-1, 4} },
		"no checksum MD4":        func(o *processpooltest.PutOptions) { o.ChecksumAlgorithm = "MD4" },
		"SHA1 of parts is COMPOSITE": func(o *processpooltest.PutOptions) {
			o.Parts, o.ChecksumAlgorithm, o.ChecksumType = []int64{3}, "SHA1", "FULL_OBJECT"
		},
		"COMPOSITE needs Parts":       func(o *processpooltest.PutOptions) { o.ChecksumType = "COMPOSITE" },
		`the ChecksumType "OTHER" is`: func(o *processpooltest.PutOptions) { o.ChecksumType = "OTHER" },
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, "processpooltest: put b/k: ") || !strings.Contains(got, want) {
					t.Errorf("got panic %q, want %q", got, want)
				}
			}()
			server.Put("b", "k", []byte("abc"), set)
		}()
	}
}

func TestVersions(t *testing.T) {
	server := processpooltest.NewServer(t)
	d := newDownloader(t, server.Config())
	server.SetVersioning("b", true)
	first := server.Put("b", "k", []byte("first"))
	second := server.Put("b", "k", []byte("second"))
	if first.VersionId == "" || first.VersionId == second.VersionId {
		t.Errorf("got versions %q and %q", first.VersionId, second.VersionId)
	}
	wantDownload(t, d, "k", []byte("second"), second)
	server.Delete("b", "k")
	if _, _, err := download(t, d, "k"); !is[*types.NoSuchKey](err) {
		t.Errorf("after Delete: got %v, want NoSuchKey", err)
	}
	_, content, err := download(t, d, "k", func(o *processpool.DownloadOptions) { o.ExtraArgs.VersionId = first.VersionId })
	if string(content) != "first" || err != nil {
		t.Errorf("got %q, %v, want first", content, err)
	}
	if all := server.Requests(); all[len(all)-1].VersionId != first.VersionId {
		t.Errorf("got %+v, want a request of version %s", all[len(all)-1], first.VersionId)
	}
}

func TestListing(t *testing.T) {
	server := processpooltest.NewServer(t, func(o *processpooltest.Options) { o.PageSize = 2 })
	d := newDownloader(t, server.Config())
	for _, key := range []string{"p/1", "p/2", "p/3", "q/4"} {
		server.Put("b", key, []byte(key))
	}
	dir := t.TempDir()
	if err := d.DownloadDirectory(t.Context(), "b", "p/", dir).Result(); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 3 {
		t.Errorf("got files %v, want 3", files)
	}
	if got := count(server, "ListObjectsV2"); got != 2 {
		t.Errorf("got %d pages, want 2", got)
	}
	server.CreateBucket("empty")
	if err := d.DownloadDirectory(t.Context(), "empty", "", dir).Result(); err != nil {
		t.Errorf("an empty bucket: %v", err)
	}
}

// Config says path style, whatever the host and the bucket are.
func TestConfigPathStyle(t *testing.T) {
	server := processpooltest.NewServer(t)
	cfg := server.Config()
	if got := s3.NewFromConfig(cfg).Options().UsePathStyle; !got {
		t.Error("s3.NewFromConfig: no path style")
	}
	if got, want := aws.ToString(cfg.BaseEndpoint), server.URL(); got != want {
		t.Errorf("got endpoint %q, want %q", got, want)
	}
	cfg.BaseEndpoint = aws.String(strings.Replace(server.URL(), "127.0.0.1", "localhost", 1))
	o := server.Put("b", "k", []byte("x"))
	wantDownload(t, newDownloader(t, cfg), "k", []byte("x"), o)
}

func TestSignatures(t *testing.T) {
	server := processpooltest.NewServer(t, func(o *processpooltest.Options) { o.AccessKey, o.SecretKey = "AKID", "secret" })
	o := server.Put("b", "k", []byte("x"))
	wantDownload(t, newDownloader(t, server.Config()), "k", []byte("x"), o)
	cfg := server.Config()
	cfg.Credentials = credentials.NewStaticCredentialsProvider("AKID", "other", "")
	_, _, err := download(t, newDownloader(t, cfg), "k")
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "SignatureDoesNotMatch" {
		t.Errorf("got %v, want SignatureDoesNotMatch", err)
	}
}

func TestETagOnly(t *testing.T) {
	server := processpooltest.NewServer(t, func(o *processpooltest.Options) { o.ETagOnly = true })
	d := newDownloader(t, server.Config())
	wantDownload(t, d, "k", []byte("x"), server.Put("b", "k", []byte("x")))
	if o, _, _ := download(t, d, "k"); !strings.Contains(o.Verified, "MD5") {
		t.Errorf("got verified by %q, want the MD5", o.Verified)
	}
}

func TestFaults(t *testing.T) {
	leak.Check(t)
	server := processpooltest.NewServer(t)
	d := newDownloader(t, server.Config())
	content := bytes.Repeat([]byte("0123456789"), 10000)
	stored := server.Put("b", "k", content)

	for name, f := range map[string]processpooltest.Fault{
		"status": {Operation: "GetObject", Times: 2, Status: 503},
		"cut":    {Operation: "GetObject", Times: 1, Cut: true, CutAfter: 5000},
		"mute":   {Operation: "HeadObject", Times: 1, Cut: true, CutAfter: -1},
		"skip":   {Bucket: "b", Key: "k", Skip: 1, Times: 1, Status: 500}, // the GetObject
		"delay":  {Operation: "GetObject", Times: 1, Delay: time.Millisecond},
	} {
		before := len(server.Requests())
		injected := server.Inject(f)
		wantDownload(t, d, "k", content, stored)
		if got := injected.Hits(); got != f.Times {
			t.Errorf("%s: got %d hits, want %d", name, got, f.Times)
		}
		want := 2 + f.Times
		if f.Delay > 0 {
			want = 2
		}
		if got := len(server.Requests()) - before; got != want {
			t.Errorf("%s: got %d requests, want %d", name, got, want)
		}
	}

	for name, c := range map[string]struct {
		fault processpooltest.Fault
		want  error
	}{
		"flip":    {processpooltest.Fault{Operation: "GetObject", Flip: true, FlipAt: 77}, processpool.ErrChecksumMismatch},
		"changed": {processpooltest.Fault{Operation: "GetObject", Do: func(r processpooltest.Request) { server.Put(r.Bucket, r.Key, []byte("other")) }}, processpool.ErrObjectChanged},
	} {
		server.Inject(c.fault)
		if _, _, err := download(t, d, "k"); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		server.ClearFaults()
		server.Put("b", "k", content)
	}

	server.Inject(processpooltest.Fault{Key: "k", Status: 403, Code: "MyCode", Message: "my message"})
	_, _, err := download(t, d, "k", func(o *processpool.DownloadOptions) { o.SkipHead = true })
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "MyCode" || e.ErrorMessage() != "my message" {
		t.Errorf("got %v, want MyCode and its message", err)
	}
	server.ClearFaults()

	arrived := make(chan processpooltest.Request, 1)
	stall := server.Inject(processpooltest.Fault{
		Operation: "GetObject", Stall: true, StallAfter: 10,
		Do: func(r processpooltest.Request) { arrived <- r },
	})
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(t.TempDir(), "file"))
	<-arrived
	f.Cancel()
	if err := f.Result(); !errors.Is(err, processpool.ErrCanceled) || stall.Hits() != 1 {
		t.Errorf("stall: got %v and %d hits, want ErrCanceled and 1", err, stall.Hits())
	}
	if got := new(processpooltest.Fault).Hits(); got != 0 {
		t.Errorf("a fault that was not injected: got %d hits", got)
	}
}

func TestRequests(t *testing.T) {
	server := processpooltest.NewServer(t)
	d := newDownloader(t, server.Config())
	server.Put("b", "k", []byte("xyz"))
	_, _, err := download(t, d, "k", func(o *processpool.DownloadOptions) { o.MultipartThreshold = 1 })
	if err != nil {
		t.Fatal(err)
	}
	all := server.Requests()
	if len(all) != 2 || all[0].Operation != "HeadObject" || all[1].Operation != "GetObject" {
		t.Fatalf("got %+v, want HeadObject, GetObject", all)
	}
	get := all[1]
	if get.Bucket != "b" || get.Key != "k" || get.Range != "bytes=0-2" || get.Header.Get("If-Match") == "" {
		t.Errorf("got %+v", get)
	}
	if all[0].Time.After(get.Time) || time.Since(get.Time) > time.Hour {
		t.Errorf("got times %v, %v", all[0].Time, get.Time)
	}
	if _, err := s3.NewFromConfig(server.Config()).HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("b")}); err != nil {
		t.Error(err)
	}
	_, err = s3.NewFromConfig(server.Config()).GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{
		Bucket: aws.String("b"), Key: aws.String("k"), ObjectAttributes: []types.ObjectAttributes{"ETag"},
	})
	if err != nil {
		t.Error(err)
	}
	s3.NewFromConfig(server.Config()).DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	for _, want := range []string{"HeadBucket", "GetObjectAttributes", "DELETE"} {
		if got := count(server, want); got != 1 {
			t.Errorf("got %d of %s, want 1", got, want)
		}
	}
}

// The server is closed when its test ends, and not before.
func TestClosed(t *testing.T) {
	var server *processpooltest.Server
	head := func() error {
		_, err := s3.NewFromConfig(server.Config(), func(o *s3.Options) { o.RetryMaxAttempts = 1 }).
			HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("b")})
		return err
	}
	t.Run("test", func(t *testing.T) {
		server = processpooltest.NewServer(t)
		server.CreateBucket("b")
		if err := head(); err != nil {
			t.Error(err)
		}
	})
	if err := head(); err == nil {
		t.Error("the server outlives its test")
	}
}

func count(server *processpooltest.Server, operation string) (n int) {
	for _, r := range server.Requests() {
		if r.Operation == operation {
			n++
		}
	}
	return n
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
