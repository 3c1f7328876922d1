// Command sdkget downloads with one GetObject of the bare SDK and io.Copy.
package main

import (
	"context"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/bench/internal/sdk"
	"github.com/s3processpool/processpool/bench/internal/task"
)

func main() { task.Exit(run(task.Parse())) }

func run(t task.Task) error {
	client, err := sdk.NewClient(t)
	if err != nil {
		return err
	}
	return t.Each(context.Background(), func(ctx context.Context, o task.Object) error {
		out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(t.Bucket), Key: aws.String(o.Key)})
		if err != nil {
			return err
		}
		defer out.Body.Close()
		f, err := os.Create(o.File)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := io.Copy(f, out.Body); err != nil {
			return err
		}
		return f.Close()
	})
}
