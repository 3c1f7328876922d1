package faults_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// newProgramDownloader returns a Downloader with two workers for the origin at url, for a program
// that a test runs.
func newProgramDownloader(url string, optFns ...func(*processpool.Config)) (*processpool.Downloader, error) {
	cfg := aws.Config{Region: s3test.Region, BaseEndpoint: &url}
	few := func(c *processpool.Config) {
		c.MaxRequestProcesses = 2
		c.ClientOptions = []func(*s3.Options){func(o *s3.Options) { o.UsePathStyle = true }}
	}
	return processpool.NewDownloader(cfg, append([]func(*processpool.Config){few}, optFns...)...)
}
