package harness

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Multipart sets the threshold and the size of a range, in bytes.
func Multipart(threshold, chunksize int64) func(*processpool.Config) {
	return func(c *processpool.Config) { c.MultipartThreshold, c.MultipartChunksize = threshold, chunksize }
}

// Processes sets the number of workers.
func Processes(n int) func(*processpool.Config) {
	return func(c *processpool.Config) { c.MaxRequestProcesses = n }
}

// Verify sets the mode of verification.
func Verify(mode processpool.VerifyMode) func(*processpool.Config) {
	return func(c *processpool.Config) { c.Verify = mode }
}

// Unhurried lets a connection stall for longer than any test waits.
func Unhurried(c *processpool.Config) { c.StallTimeout = time.Hour }

// Quickly limits each request to two attempts.
func Quickly(c *processpool.Config) { c.MaxAttempts = 2 }

// Durable sets Config.Durable.
func Durable(c *processpool.Config) { c.Durable = true }

// DirectIO sets Config.DirectIO.
func DirectIO(c *processpool.Config) { c.DirectIO = true }

// Expect sets DownloadOptions.ExpectedSize.
func Expect(size int64) func(*processpool.DownloadOptions) {
	return func(o *processpool.DownloadOptions) { o.ExpectedSize = aws.Int64(size) }
}

// Resume sets DownloadOptions.Resume.
func Resume(o *processpool.DownloadOptions) { o.Resume = true }

// SkipHead sets DownloadOptions.SkipHead.
func SkipHead(o *processpool.DownloadOptions) { o.SkipHead = true }

// Pages makes the origin list n keys a page.
func Pages(n int) func(*s3test.Options) {
	return func(o *s3test.Options) { o.PageSize = n }
}

// ObjectOptions returns its arguments: the options of an object, for a table of tests.
func ObjectOptions(fns ...func(*s3test.Object)) []func(*s3test.Object) { return fns }
