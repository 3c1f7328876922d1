package main

import (
	"context"
	"log"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/s3processpool/processpool"
)

func main() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx) // credentials and region: environment, ~/.aws, ...
	if err != nil {
		log.Fatal(err)
	}
	d, err := processpool.NewDownloader(cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer d.Shutdown() // waits for every download, then for every worker process
	if err := d.DownloadFile(ctx, "mybucket", "mykey", "myfile").Result(); err != nil {
		log.Print(err)
	}
}
