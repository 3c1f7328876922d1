//go:build unix

package processpool_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

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
