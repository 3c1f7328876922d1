// Explicit is an application that is also its own Config.WorkerCommand.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		if err := processpool.ServeWorker(); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := download(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

// download downloads s3://b/k from the server at url. With how=command the workers run main.
func download(url, file, how string) error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &url}
	d, err := processpool.NewDownloader(cfg, func(c *processpool.Config) {
		c.MaxRequestProcesses = 2
		c.ClientOptions = append(c.ClientOptions, func(o *s3.Options) { o.UsePathStyle = true })
		if how == "command" {
			c.WorkerCommand = []string{executable, "worker"}
		}
	})
	if err != nil {
		return err
	}
	defer d.Shutdown()
	if err := d.Start(); err != nil {
		return err
	}
	return d.DownloadFile(context.Background(), "b", "k", file).Result()
}
