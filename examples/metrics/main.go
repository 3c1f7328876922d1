// Metrics downloads objects and serves the statistics of the pool, and of each request to S3, to
// Prometheus.
//
//	metrics [-listen 127.0.0.1:9102] s3://bucket/key file [s3://bucket/key file ...]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/s3processpool/processpool"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9102", "`address` of /metrics")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "metrics:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen string, args []string) error {
	if len(args) == 0 || len(args)%2 != 0 {
		return errors.New("arguments must be pairs of s3://bucket/key and file")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	defer ln.Close()
	fmt.Printf("metrics on http://%s/metrics\n", ln.Addr())
	return download(ctx, cfg, ln, args)
}

// download downloads the objects, and serves the metrics on ln until all downloads have ended.
func download(ctx context.Context, cfg aws.Config, ln net.Listener, pairs []string, optFns ...func(*processpool.Config)) error {
	r := newRequests()
	counted := func(c *processpool.Config) { c.OnAttempt = r.attempt }
	d, err := processpool.NewDownloader(cfg, append(optFns, counted)...)
	if err != nil {
		return err
	}
	defer d.Shutdown()
	server := &http.Server{Handler: handler(d, r)}
	go server.Serve(ln)
	defer server.Close()

	var futures []*processpool.Future
	for i := 0; i < len(pairs); i += 2 {
		bucket, key, ok := strings.Cut(strings.TrimPrefix(pairs[i], "s3://"), "/")
		if !ok {
			return fmt.Errorf("%s is not s3://bucket/key", pairs[i])
		}
		futures = append(futures, d.DownloadFile(ctx, bucket, key, pairs[i+1]))
	}
	var failed []error
	for _, f := range futures {
		failed = append(failed, f.Result())
	}
	return errors.Join(failed...)
}

func handler(d *processpool.Downloader, r *requests) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{d.Stats}, r)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux
}
