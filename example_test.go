//go:build unix

package processpool_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// exampleConfig stands for what config.LoadDefaultConfig returns. It leads to an S3
// origin in this process, which holds s3://mybucket/mykey and some more.
var exampleConfig = sync.OnceValue(func() aws.Config {
	origin := s3test.Start()
	data := s3test.PatternBytes(1, 1<<20)
	origin.Put("mybucket", "mykey", data)
	origin.Put("mybucket", "unproved", data, s3test.WithChecksum("", ""), func(o *s3test.Object) {
		o.Header = map[string]string{"X-Amz-Server-Side-Encryption": "aws:kms"}
	})
	origin.Put("mybucket", "stuck", data)
	origin.Inject(s3test.Fault{Method: "GET", Key: "stuck", Stall: true})
	return origin.Config()
})

// exampleDownloader returns a Downloader of two workers and a folder to download to.
func exampleDownloader() (d *processpool.Downloader, dir string) {
	d, err := processpool.NewDownloader(exampleConfig(), func(c *processpool.Config) { c.MaxRequestProcesses = 2 })
	if err != nil {
		panic(err)
	}
	if dir, err = os.MkdirTemp("", "example"); err != nil {
		panic(err)
	}
	return d, dir
}

// The program of README.md, with the settings of a server in this process.
func Example() {
	ctx := context.Background()
	cfg := exampleConfig() // config.LoadDefaultConfig(ctx)
	d, err := processpool.NewDownloader(cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer d.Shutdown() // waits for every download, then for every worker process
	if err := d.DownloadFile(ctx, "mybucket", "mykey", "myfile").Result(); err != nil {
		log.Print(err)
	}
}

func ExampleNewDownloader() {
	cfg := exampleConfig() // config.LoadDefaultConfig(ctx)
	d, err := processpool.NewDownloader(cfg, func(c *processpool.Config) {
		c.MaxRequestProcesses = 16
		c.MultipartChunksize = 16 << 20
		c.ClientOptions = append(c.ClientOptions, func(o *s3.Options) { o.UsePathStyle = true })
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Shutdown()
	fmt.Println("ready; no process has been started")
	// Output: ready; no process has been started
}

// Everything that is wrong is in one error.
func ExampleNewDownloader_faults() {
	_, err := processpool.NewDownloader(exampleConfig(), func(c *processpool.Config) {
		c.MultipartChunksize = 0
		c.MaxRequestProcesses = -1
	})
	fmt.Println(err)
	// Output:
	// processpool: configuration: MultipartChunksize is 0 bytes: give at least 1, or leave it alone for the default
	// MaxRequestProcesses is -1: give 1 to 4096, or leave it alone for the default
}

// Start tells before the first download whether workers come up.
func ExampleDownloader_Start() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	fmt.Println(d.Start())
	// Output: <nil>
}

// Downloads run side by side; their results may be asked for in any order.
func ExampleDownloader_DownloadFile() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	var futures []*processpool.Future
	for _, name := range []string{"a", "b", "c"} {
		futures = append(futures, d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, name)))
	}
	for _, future := range futures {
		if err := future.Result(); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(filepath.Base(future.Meta().Filename), future.Object().Size)
	}
	// Output:
	// a 1048576
	// b 1048576
	// c 1048576
}

// Shutdown waits for what is under way. Results stay; new downloads are refused.
func ExampleDownloader_Shutdown() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	ctx := context.Background()

	early := d.DownloadFile(ctx, "mybucket", "mykey", filepath.Join(dir, "early"))
	if err := d.Shutdown(); err != nil {
		fmt.Println(err)
	}
	late := d.DownloadFile(ctx, "mybucket", "mykey", filepath.Join(dir, "late"))

	fmt.Println(early.Result())
	fmt.Println(errors.Is(late.Result(), processpool.ErrShutdown))
	// Output:
	// <nil>
	// true
}

func ExampleFuture_Result() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	future := d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "myfile"))
	if err := future.Result(); err != nil {
		fmt.Println("nothing has changed:", err)
		return
	}
	fmt.Println("the file is complete")
	// Output: the file is complete
}

func ExampleFuture_Done() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	future := d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "myfile"))
	select {
	case <-future.Done():
		fmt.Println("result:", future.Result())
	case <-time.After(time.Minute):
		fmt.Println("not yet")
	}
	// Output: result: <nil>
}

// A canceled download ends at once and leaves nothing.
func ExampleFuture_Cancel() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	future := d.DownloadFile(context.Background(), "mybucket", "stuck", filepath.Join(dir, "myfile"))
	future.Cancel()
	err := future.Result()
	fmt.Println(errors.Is(err, processpool.ErrCanceled), errors.Is(err, context.Canceled))

	entries, err := os.ReadDir(dir)
	fmt.Println(len(entries), err)
	// Output:
	// true true
	// 0 <nil>
}

func ExampleFuture_Meta() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	future := d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "myfile"),
		func(o *processpool.DownloadOptions) { o.UserContext = "row 17" })
	meta := future.Meta()
	fmt.Println(meta.TransferID, meta.Bucket, meta.Key, meta.UserContext)
	// Output: 0 mybucket mykey row 17
}

func ExampleFuture_Progress() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)

	future := d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "myfile"))
	d.Shutdown() // waits for the download
	p := future.Progress()
	fmt.Println(p.BytesDone, "of", p.BytesTotal)
	// Output: 1048576 of 1048576
}

func ExampleFuture_Object() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	future := d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "myfile"))
	if err := future.Result(); err != nil {
		fmt.Println(err)
		return
	}
	object := future.Object()
	fmt.Println(object.Size, "bytes, proved by", object.Verified)
	// Output: 1048576 bytes, proved by CRC64NVME full object
}

// S3's own errors are found although they were met in another process.
func ExampleTransferError() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	err := d.DownloadFile(context.Background(), "mybucket", "missing", filepath.Join(dir, "myfile")).Result()

	var transfer *processpool.TransferError
	if errors.As(err, &transfer) {
		fmt.Println("step:", transfer.Op, "key:", transfer.Key)
	}
	var notFound *types.NotFound
	fmt.Println("not found:", errors.As(err, &notFound))
	var api smithy.APIError
	if errors.As(err, &api) {
		fmt.Println("code:", api.ErrorCode())
	}
	fmt.Println("canceled:", errors.Is(err, processpool.ErrCanceled))
	// Output:
	// step: head key: missing
	// not found: true
	// code: NoSuchKey
	// canceled: false
}

// The file system's errors keep their identity, too.
func ExampleTransferError_fileSystem() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	err := d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "no such folder", "myfile")).Result()
	fmt.Println(errors.Is(err, os.ErrNotExist))
	// Output: true
}

// OnProgress is never called concurrently for one download, and has returned for the
// last time before Result does.
func ExampleDownloadOptions_onProgress() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	var last processpool.Progress
	future := d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "myfile"),
		func(o *processpool.DownloadOptions) {
			o.OnProgress = func(p processpool.Progress) { last = p }
		})
	if err := future.Result(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(last.BytesDone, "of", last.BytesTotal)
	// Output: 1048576 of 1048576
}

// A caller that knows the size saves the HeadObject. The wrong size is an error,
// never a file that is too long or too short.
func ExampleDownloadOptions_expectedSize() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	for _, size := range []int64{1 << 20, 1<<20 - 1} {
		future := d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "myfile"),
			func(o *processpool.DownloadOptions) { o.ExpectedSize = aws.Int64(size) })
		fmt.Println(size, errors.Is(future.Result(), processpool.ErrSizeMismatch))
	}
	// Output:
	// 1048576 false
	// 1048575 true
}

// What has arrived stays when a download is cut off, and the next one goes on.
func ExampleDownloadOptions_expect() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	// SHA-256 sums as sha256sum prints them; the first is that of the object.
	for _, published := range []string{
		"46bcb2e919c2f428a959c9fb06d7febc838abd09591ed47af8247b25856ca8e7",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	} {
		sum, err := hex.DecodeString(published)
		if err != nil {
			log.Fatal(err)
		}
		future := d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "myfile"),
			func(o *processpool.DownloadOptions) {
				o.Expect = []processpool.Checksum{
					{Algorithm: types.ChecksumAlgorithmSha256, Value: base64.StdEncoding.EncodeToString(sum)},
				}
			})
		fmt.Println(errors.Is(future.Result(), processpool.ErrChecksumMismatch))
	}
	// Output:
	// false
	// true
}

func ExampleDownloadOptions_resume() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	future := d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "myfile"),
		func(o *processpool.DownloadOptions) { o.Resume = true })
	switch err := future.Result(); {
	case errors.Is(err, processpool.ErrBusy):
		fmt.Println("another process is at it")
	case err != nil:
		fmt.Println(err) // call again: only what is missing is fetched
	default:
		fmt.Println(future.Object().Resumed, "bytes of", future.Object().Size, "were there before")
	}
	// Output: 0 bytes of 1048576 were there before
}

// What nobody came back for within a month is listed first, and then removed.
func ExampleCleanPartials() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	const month = 30 * 24 * time.Hour
	found, err := processpool.ListPartials(dir, month)
	fmt.Println(len(found), err)
	removed, err := processpool.CleanPartials(dir, month)
	fmt.Println(len(removed), err)
	// Output:
	// 0 <nil>
	// 0 <nil>
}

// VerifyRequired refuses an object of which S3 keeps nothing that could prove it.
func ExampleConfig_verifyRequired() {
	d, err := processpool.NewDownloader(exampleConfig(), func(c *processpool.Config) {
		c.MaxRequestProcesses = 2
		c.Verify = processpool.VerifyRequired
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Shutdown()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	for _, key := range []string{"mykey", "unproved"} {
		future := d.DownloadFile(context.Background(), "mybucket", key, filepath.Join(dir, key))
		fmt.Println(key, errors.Is(future.Result(), processpool.ErrUnverifiable))
	}
	// Output:
	// mykey false
	// unproved true
}

// The main of a program for Config.WorkerCommand, whose client bears a header that
// a proxy on the way to S3 asks for. The application names it so:
//
//	c.WorkerCommand = []string{"/usr/local/bin/myworker"}
func ExampleServeWorker() {
	withHeader := func(o *s3.Options) {
		o.APIOptions = append(o.APIOptions, smithyhttp.AddHeaderValue("X-Proxy-Token", os.Getenv("PROXY_TOKEN")))
	}
	if err := processpool.ServeWorker(withHeader); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The Go halves of docs/porting.md, which quotes them.

// portingDownloader is exampleDownloader in a folder that is the working directory until
// end is called, which shuts the Downloader down and removes the folder.
func portingDownloader() (d *processpool.Downloader, end func()) {
	before, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	d, dir := exampleDownloader()
	if err := os.Chdir(dir); err != nil {
		panic(err)
	}
	return d, func() {
		d.Shutdown()
		os.Chdir(before)
		os.RemoveAll(dir)
	}
}

func Example_portingOneFile() {
	_, end := portingDownloader()
	defer end()
	ctx, cfg := context.Background(), exampleConfig()

	download := func() error {
		d, err := processpool.NewDownloader(cfg)
		if err != nil {
			return err
		}
		defer d.Shutdown()
		return d.DownloadFile(ctx, "mybucket", "mykey", "myfile").Result()
	}
	fmt.Println(download())
	// Output: <nil>
}

func Example_portingManyFiles() {
	ctx := context.Background()
	d, end := portingDownloader()
	defer end()

	var futures []*processpool.Future
	for _, key := range []string{"mykey", "nokey"} {
		futures = append(futures, d.DownloadFile(ctx, "mybucket", key, "file-of-"+key))
	}
	for _, f := range futures {
		if err := f.Result(); err != nil {
			fmt.Println(f.Meta().Key, "failed:", err != nil)
		}
	}
	// Output: nokey failed: true
}

func Example_portingTransferConfig() {
	cfg := exampleConfig()
	d, err := processpool.NewDownloader(cfg, func(c *processpool.Config) {
		c.MultipartThreshold = 16 << 20
		c.MultipartChunksize = 4 << 20
		c.MaxRequestProcesses = 4
	})
	if err == nil {
		err = d.Shutdown()
	}
	fmt.Println(err)
	// Output: <nil>
}

func Example_portingClientKwargs() {
	cfg := exampleConfig()
	d, err := processpool.NewDownloader(cfg, func(c *processpool.Config) {
		c.ClientOptions = append(c.ClientOptions, func(o *s3.Options) {
			o.Region = "us-west-2"
			o.BaseEndpoint = aws.String("http://localhost:9000")
			o.UsePathStyle = true
			o.Credentials = aws.AnonymousCredentials{}
		})
	})
	if err == nil {
		err = d.Shutdown()
	}
	fmt.Println(err)
	// Output: <nil>
}

func Example_portingExtraArgs() {
	ctx := context.Background()
	d, end := portingDownloader()
	defer end()

	future := d.DownloadFile(ctx, "mybucket", "mykey", "myfile", func(o *processpool.DownloadOptions) {
		o.ExtraArgs.VersionId = "null"
		o.ExpectedSize = aws.Int64(1 << 20)
	})
	fmt.Println(future.Result())
	// Output: <nil>
}

func Example_portingErrors() {
	ctx := context.Background()
	d, end := portingDownloader()
	defer end()

	err := d.DownloadFile(ctx, "mybucket", "nokey", "myfile").Result()
	var answer smithy.APIError
	switch {
	case errors.As(err, &answer):
		fmt.Println(answer.ErrorCode())
	case errors.Is(err, processpool.ErrRetriesExceeded):
		fmt.Println("try again later")
	case errors.Is(err, os.ErrNotExist):
		fmt.Println("make the directory first")
	}
	// Output: NoSuchKey
}

func Example_portingCancel() {
	ctx := context.Background()
	d, end := portingDownloader()
	defer end()

	future := d.DownloadFile(ctx, "mybucket", "stuck", "myfile")
	future.Cancel()
	fmt.Println(errors.Is(future.Result(), processpool.ErrCanceled))
	// Output: true
}

func Example_portingCtrlC() {
	d, end := portingDownloader()
	defer end()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	future := d.DownloadFile(ctx, "mybucket", "mykey", "myfile")
	if errors.Is(future.Result(), processpool.ErrCanceled) {
		fmt.Println("interrupted, and nothing is left behind")
	}
	// Output:
}

func Example_portingMeta() {
	ctx := context.Background()
	d, end := portingDownloader()
	defer end()

	future := d.DownloadFile(ctx, "mybucket", "mykey", "myfile", func(o *processpool.DownloadOptions) {
		o.UserContext = map[string]any{"tenant": 7}
	})
	meta := future.Meta()
	fmt.Println(meta.TransferID, meta.Bucket, meta.Key, meta.Filename, meta.UserContext)
	// Output: 0 mybucket mykey myfile map[tenant:7]
}

func Example_portingPolling() {
	ctx := context.Background()
	d, end := portingDownloader()
	defer end()
	future := d.DownloadFile(ctx, "mybucket", "mykey", "myfile")

	every := time.NewTicker(time.Second)
	defer every.Stop()
	for waiting := true; waiting; {
		select {
		case <-future.Done():
			waiting = false
		case <-every.C:
			fmt.Println(future.Progress().BytesDone, "bytes so far")
		}
	}
	fmt.Println(future.Result())
	// Output: <nil>
}

// albumConfig leads to an S3 origin in this process, which holds an album.
var albumConfig = sync.OnceValue(func() aws.Config {
	origin := s3test.Start()
	for _, key := range []string{"album/", "album/cover.jpg", "album/2024/a.jpg", "album/2024/a.raw", "album/2024/b.jpg"} {
		data := s3test.PatternBytes(1, 1<<16)
		if key == "album/" {
			data = nil
		}
		origin.Put("mybucket", key, data, func(o *s3test.Object) {
			o.LastModified = time.Date(2024, 7, 1, 12, 0, 0, 0, time.UTC)
		})
	}
	origin.Put("mybucket", "unsafe/../../etc/passwd", nil)
	origin.Put("mybucket", "unsafe/good", nil)
	return origin.Config()
})

// albumDownloader returns a Downloader of two workers and a folder to download to.
func albumDownloader() (d *processpool.Downloader, dir string) {
	d, err := processpool.NewDownloader(albumConfig(), func(c *processpool.Config) { c.MaxRequestProcesses = 2 })
	if err != nil {
		panic(err)
	}
	if dir, err = os.MkdirTemp("", "example"); err != nil {
		panic(err)
	}
	return d, dir
}

// All objects below a prefix become files below a directory.
func ExampleDownloader_DownloadDirectory() {
	d, dir := albumDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	album := d.DownloadDirectory(context.Background(), "mybucket", "album/", dir)
	if err := album.Result(); err != nil {
		fmt.Println(err)
		return
	}
	fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if !entry.IsDir() {
			fmt.Println(name)
		}
		return err
	})
	// Output:
	// 2024/a.jpg
	// 2024/a.raw
	// 2024/b.jpg
	// cover.jpg
}

// A filter chooses among the objects.
func ExampleDirectoryOptions_filter() {
	d, dir := albumDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	album := d.DownloadDirectory(context.Background(), "mybucket", "album/", dir, func(o *processpool.DirectoryOptions) {
		o.Filter = func(object processpool.ObjectInfo) bool {
			return path.Ext(object.Key) == ".jpg" && object.Size < 1<<30
		}
	})
	fmt.Println(album.Result(), album.Progress().Done)
	// Output: <nil> 3
}

// A second download takes only what has changed.
func ExampleDirectoryOptions_skipUnchanged() {
	d, dir := albumDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	mirror := func() {
		album := d.DownloadDirectory(context.Background(), "mybucket", "album/2024/", dir, func(o *processpool.DirectoryOptions) {
			o.SkipUnchanged = true
		})
		err := album.Result()
		p := album.Progress()
		fmt.Println(p.Done, "done,", p.Skipped, "unchanged,", err)
	}
	mirror()
	os.Remove(filepath.Join(dir, "b.jpg"))
	mirror()
	// Output:
	// 3 done, 0 unchanged, <nil>
	// 1 done, 2 unchanged, <nil>
}

// OnFile hears of each file as it arrives, or does not.
func ExampleDirectoryOptions_onFile() {
	d, dir := albumDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	unsafe := d.DownloadDirectory(context.Background(), "mybucket", "unsafe/", dir, func(o *processpool.DirectoryOptions) {
		o.OnFile = func(future *processpool.Future) {
			switch err := future.Result(); {
			case errors.Is(err, processpool.ErrUnsafeKey):
				fmt.Println("refused:", future.Meta().Key)
			case err == nil:
				fmt.Println("in place:", future.Meta().Key)
			}
		}
	})
	<-unsafe.Done()
	// Output:
	// refused: unsafe/../../etc/passwd
	// in place: unsafe/good
}

func ExampleDirectory_Result() {
	d, dir := albumDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	err := d.DownloadDirectory(context.Background(), "mybucket", "unsafe/", dir).Result()
	var failed *processpool.DirectoryError
	if errors.As(err, &failed) {
		fmt.Println(failed.Failed, "of", failed.Listed, "failed; the first is", failed.Failures[0].Key)
	}
	// Output: 1 of 2 failed; the first is unsafe/../../etc/passwd
}

func ExampleDirectory_Progress() {
	d, dir := albumDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	album := d.DownloadDirectory(context.Background(), "mybucket", "album/2024/", dir)
	<-album.Done()
	p := album.Progress()
	fmt.Println(p.Done, "of", p.Listed, "objects,", p.BytesDone, "of", p.BytesTotal, "bytes")
	// Output: 3 of 3 objects, 196608 of 196608 bytes
}

func ExampleDirectory_Cancel() {
	d, dir := albumDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	album := d.DownloadDirectory(context.Background(), "mybucket", "album/", dir)
	album.Cancel()
	fmt.Println(errors.Is(album.Result(), processpool.ErrCanceled))
	// Output: true
}

func ExampleDownloader_Stats() {
	d, dir := albumDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	d.DownloadDirectory(context.Background(), "mybucket", "album/2024/", dir).Result()
	s := d.Stats()
	fmt.Println(s.Done, "downloads,", s.BytesWritten, "bytes")
	fmt.Println(s.Requests.ListObjectsV2, "listing,", s.Requests.HeadObject, "HeadObject,", s.Requests.GetObject, "GetObject")
	// Output:
	// 3 downloads, 196608 bytes
	// 1 listing, 0 HeadObject, 3 GetObject
}

// Each request to S3, in the application: here their number and the time that they took, by operation.
// Calls never overlap, and all have returned when a Future has ended, so that there is no lock.
func ExampleConfig_onAttempt() {
	count, took, failed := map[string]int{}, map[string]time.Duration{}, 0
	d, err := processpool.NewDownloader(exampleConfig(), func(c *processpool.Config) {
		c.MaxRequestProcesses = 2
		c.MultipartThreshold, c.MultipartChunksize = 256<<10, 256<<10
		c.OnAttempt = func(a processpool.Attempt) {
			count[a.Operation]++
			took[a.Operation] += a.End.Sub(a.Start)
			if a.Err != nil {
				failed++
				log.Printf("%s of %s, attempt %d: status %d, request %s: %v",
					a.Operation, a.Key, a.Number, a.StatusCode, a.RequestID, a.Err)
			}
		}
	})
	if err != nil {
		panic(err)
	}
	defer d.Shutdown()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	err = d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "myfile")).Result()
	fmt.Println(err, count["HeadObject"], count["GetObject"], failed, took["GetObject"] > 0)
	// Output: <nil> 1 4 0 true
}

// An application whose aws.Config has middleware of its own, as otelaws.AppendMiddlewares adds.
func ExampleConfig_foreign() {
	cfg := exampleConfig()
	cfg.APIOptions = append(cfg.APIOptions, smithyhttp.AddHeaderValue("X-Trace", "1"))

	_, err := processpool.NewDownloader(cfg)
	fmt.Println("refused:", err != nil)

	_, err = processpool.NewDownloader(cfg, func(c *processpool.Config) {
		c.Foreign = processpool.ForeignWarn // workers do without; OnAttempt has what it would have seen
		c.Logger = slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		}))
	})
	fmt.Println(err)
	// Output:
	// refused: true
	// level=WARN msg="settings cannot cross to workers, which do without them (Foreign: ForeignWarn)" settings="APIOptions (middleware)"
	// <nil>
}

// A program that has an s3.Client already.
func ExampleNewFromClient() {
	client := s3.NewFromConfig(exampleConfig(), func(o *s3.Options) { o.UsePathStyle = true })

	d, err := processpool.NewFromClient(client, func(c *processpool.Config) { c.MaxRequestProcesses = 2 })
	if err != nil {
		panic(err)
	}
	defer d.Shutdown()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	fmt.Println(d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "myfile")).Result())
	// Output: <nil>
}

// A list of any length, of which only a window is in memory.
func ExampleDownloader_DownloadAll() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	requests := func(yield func(processpool.Request) bool) {
		for _, key := range []string{"mykey", "missing"} {
			if !yield(processpool.Request{Bucket: "mybucket", Key: key, Filename: filepath.Join(dir, key)}) {
				return
			}
		}
	}
	var done, failed int
	for future := range d.DownloadAll(context.Background(), requests) {
		if err := future.Result(); err != nil {
			failed++
			continue
		}
		done++
	}
	fmt.Println(done, "downloaded,", failed, "failed")
	// Output: 1 downloaded, 1 failed
}

// Each of four machines downloads its part of a prefix, and of a list.
func ExampleShard() {
	mine, err := processpool.Shard(3, 4) // on the last machine; the index is often in the environment
	if err != nil {
		fmt.Println(err)
		return
	}
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	directory := d.DownloadDirectory(context.Background(), "mybucket", "my", dir, func(o *processpool.DirectoryOptions) {
		o.Filter = func(object processpool.ObjectInfo) bool { return mine(object.Key) }
	})
	fmt.Println(directory.Result(), directory.Progress().Done)

	for _, key := range []string{"a", "photos/2026/a.jpg", "data/part-00000.parquet", "ü/日"} {
		fmt.Println(key, mine(key))
	}
	// Output:
	// <nil> 1
	// a false
	// photos/2026/a.jpg false
	// data/part-00000.parquet true
	// ü/日 false
}

// A file that is fetched only if the object has changed since.
func ExampleDownloadOptions_ifNoneMatch() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	name := filepath.Join(dir, "file")
	object, err := d.DownloadFile(context.Background(), "mybucket", "mykey", name).Wait(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	err = d.DownloadFile(context.Background(), "mybucket", "mykey", name, func(o *processpool.DownloadOptions) {
		o.IfNoneMatch = object.ETag
	}).Result()
	fmt.Println(errors.Is(err, processpool.ErrNotModified))
	// Output: true
}

// A file that exists is not replaced, whoever has put it there, and whenever.
func ExampleDownloadOptions_noClobber() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	for range 2 {
		err := d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
			o.NoClobber = true
		}).Result()
		switch {
		case errors.Is(err, processpool.ErrExists):
			fmt.Println("kept what is there")
		case err != nil:
			log.Fatal(err)
		default:
			fmt.Println("downloaded")
		}
	}
	// Output:
	// downloaded
	// kept what is there
}

// A file with the time of its object, which nobody but its owner can read.
func ExampleDownloadOptions_keepModTime() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	name := filepath.Join(dir, "file")
	object, err := d.DownloadFile(context.Background(), "mybucket", "mykey", name, func(o *processpool.DownloadOptions) {
		o.KeepModTime = true
		o.Mode = 0o600
	}).Wait(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.ModTime().Equal(object.LastModified), info.Mode())
	// Output: true -rw-------
}

// The first kilobyte of an object, by one request.
func ExampleDownloadOptions_range() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	name := filepath.Join(dir, "header")
	object, err := d.DownloadFile(context.Background(), "mybucket", "mykey", name, func(o *processpool.DownloadOptions) {
		o.Range = &processpool.Range{Length: 1024}
		o.SkipHead = true
	}).Wait(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Size(), "of", object.Size, "bytes")
	// Output: 1024 of 1048576 bytes
}

// A file without a name: it is gone when it is closed.
func ExampleDownloader_DownloadTo() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	f, err := os.CreateTemp(dir, "")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	os.Remove(f.Name())
	if err := d.DownloadTo(context.Background(), "mybucket", "mykey", f).Result(); err != nil {
		log.Fatal(err)
	}
	n, err := io.Copy(io.Discard, f) // its own offset is still 0
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, "bytes")
	// Output: 1048576 bytes
}

// One version of an object, which is known by its ETag: another one is an error.
func ExampleDownloadOptions_ifMatch() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	err := d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
		o.IfMatch = `"0123456789abcdef0123456789abcdef"`
	}).Result()
	fmt.Println(errors.Is(err, processpool.ErrObjectChanged))
	// Output: true
}

// One download that is stricter than the others of its Downloader, and is split in another way.
func ExampleDownloadOptions_verify() {
	d, dir := exampleDownloader()
	defer os.RemoveAll(dir)
	defer d.Shutdown()

	object, err := d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) {
		o.Verify = processpool.VerifyRequired
		o.Durable = true
		o.MultipartThreshold = 1 << 20
		o.MultipartChunksize = 256 << 10
	}).Wait(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("proved by", object.Verified)
	// Output: proved by CRC64NVME full object
}

// Large downloads to a disk, past the page cache: how many bytes went which way depends on the file
// system.
func ExampleConfig_directIO() {
	d, err := processpool.NewDownloader(exampleConfig(), func(c *processpool.Config) {
		c.DirectIO = true
		c.Durable = true
		c.Nice = 10 // workers give way to the application
	})
	if err != nil {
		log.Fatal(err)
	}
	defer d.Shutdown()

	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	object, err := d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "file")).Wait(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(object.Size, "bytes are on stable storage;", object.Direct <= object.Size)
	// Output: 1048576 bytes are on stable storage; true
}

// A limit for the whole pool, which is lifted when nobody else needs the network.
func ExampleDownloader_SetMaxBytesPerSecond() {
	d, err := processpool.NewDownloader(exampleConfig(), func(c *processpool.Config) {
		c.MaxRequestProcesses = 2
		c.MaxBytesPerSecond = 64 << 10
	})
	if err != nil {
		log.Fatal(err)
	}
	defer d.Shutdown()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	f := d.DownloadFile(context.Background(), "mybucket", "mykey", filepath.Join(dir, "myfile"))
	d.SetMaxBytesPerSecond(0)
	fmt.Println(f.Result())
	// Output: <nil>
}

// A link of unknown capacity: up to 64 requests, as many as help.
func ExampleConfig_adaptive() {
	d, err := processpool.NewDownloader(exampleConfig(), func(c *processpool.Config) {
		c.MaxRequestProcesses = 8
		c.RequestsPerProcess = 8
		c.Adaptive = true
	})
	if err != nil {
		log.Fatal(err)
	}
	defer d.Shutdown()

	fmt.Println(d.Stats().RequestsLimit) // 0: all of them, so far
	// Output: 0
}
