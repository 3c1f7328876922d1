// Command minio downloads with minio-go, which fetches an object in one stream.
package main

import (
	"context"
	"net/url"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/s3processpool/processpool/bench/internal/sdk"
	"github.com/s3processpool/processpool/bench/internal/task"
)

func main() { task.Exit(run(task.Parse())) }

func run(t task.Task) error {
	u, err := url.Parse(t.URL)
	if err != nil {
		return err
	}
	secure := u.Scheme == "https"
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return err
	}
	if secure {
		if transport.TLSClientConfig.RootCAs, err = sdk.Roots(t); err != nil {
			return err
		}
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds:        credentials.NewStaticV4("AKIDEXAMPLE", "secret", ""),
		Secure:       secure,
		Transport:    transport,
		Region:       "us-east-1",
		BucketLookup: minio.BucketLookupPath,
	})
	if err != nil {
		return err
	}
	return t.Each(context.Background(), func(ctx context.Context, o task.Object) error {
		return client.FGetObject(ctx, t.Bucket, o.Key, o.File, minio.GetObjectOptions{})
	})
}
