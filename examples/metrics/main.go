// Metrics downloads objects and serves the statistics of the pool, and of each request to S3, to
// Prometheus.
//
//	metrics s3://bucket/key file [s3://bucket/key file ...]
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/s3processpool/processpool"
)

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	l, refused := net.Listen("tcp", "127.0.0.1:9102")
	if err = errors.Join(err, refused); err == nil {
		err = download(context.Background(), cfg, l, os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "metrics:", err)
		os.Exit(1)
	}
}

// download downloads the objects, and serves the metrics on l until all downloads have ended.
func download(ctx context.Context, cfg aws.Config, l net.Listener, pairs []string, optFns ...func(*processpool.Config)) error {
	registry := prometheus.NewRegistry()
	d, err := processpool.NewDownloader(cfg, append(optFns, attempts(registry))...)
	if err != nil {
		return err
	}
	defer d.Shutdown()
	pool(registry, d.Stats)
	defer l.Close()
	go http.Serve(l, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	var futures []*processpool.Future
	for ; len(pairs) > 1; pairs = pairs[2:] {
		bucket, key, _ := strings.Cut(strings.TrimPrefix(pairs[0], "s3://"), "/")
		futures = append(futures, d.DownloadFile(ctx, bucket, key, pairs[1]))
	}
	var failed []error
	for _, f := range futures {
		failed = append(failed, f.Result())
	}
	return errors.Join(failed...)
}

// attempts counts and times the requests to S3. The application is told of each, whichever worker has made it.
func attempts(to prometheus.Registerer) func(*processpool.Config) {
	duration := promauto.With(to).NewHistogramVec(prometheus.HistogramOpts{
		Name: "processpool_request_duration_seconds", Help: "Time of a request to S3, until its body was read. The status is 0 if there was no answer.",
		Buckets: prometheus.ExponentialBuckets(0.005, 2, 14), // 5 ms to 41 s
	}, []string{"operation", "status"})
	received := promauto.With(to).NewCounterVec(prometheus.CounterOpts{Name: "processpool_received_bytes_total", Help: "Bytes of bodies that were read."}, []string{"operation"})
	return func(c *processpool.Config) {
		c.OnAttempt = func(a processpool.Attempt) {
			duration.WithLabelValues(a.Operation, strconv.Itoa(a.StatusCode)).Observe(a.End.Sub(a.Start).Seconds())
			received.WithLabelValues(a.Operation).Add(float64(a.Bytes))
		}
	}
}

// pool exports the statistics of the pool, which are read at each scrape. Stats has more of them.
func pool(to prometheus.Registerer, stats func() processpool.Stats) {
	gauge := func(name, help string, labels prometheus.Labels, value func(processpool.Stats) int64) {
		promauto.With(to).NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 { return float64(value(stats())) })
	}
	counter := func(name, help string, labels prometheus.Labels, value func(processpool.Stats) int64) {
		promauto.With(to).NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 { return float64(value(stats())) })
	}
	gauge("processpool_downloads", "Downloads that have not ended.", prometheus.Labels{"state": "queued"}, func(s processpool.Stats) int64 { return s.Queued })
	gauge("processpool_downloads", "Downloads that have not ended.", prometheus.Labels{"state": "active"}, func(s processpool.Stats) int64 { return s.Active })
	gauge("processpool_workers", "Running worker processes.", nil, func(s processpool.Stats) int64 { return s.Workers })
	counter("processpool_downloads_total", "Downloads that have ended.", prometheus.Labels{"outcome": "done"}, func(s processpool.Stats) int64 { return s.Done })
	counter("processpool_downloads_total", "Downloads that have ended.", prometheus.Labels{"outcome": "failed"}, func(s processpool.Stats) int64 { return s.Failed })
	counter("processpool_written_bytes_total", "Bytes written to temporary files.", nil, func(s processpool.Stats) int64 { return s.BytesWritten })
	counter("processpool_retries_total", "Failed attempts that were retried.", prometheus.Labels{"cause": "throttled"}, func(s processpool.Stats) int64 { return s.Retries.Throttled })
	counter("processpool_retries_total", "Failed attempts that were retried.", prometheus.Labels{"cause": "connection"}, func(s processpool.Stats) int64 { return s.Retries.Connection })
	counter("processpool_worker_restarts_total", "Worker processes that replaced a lost one.", nil, func(s processpool.Stats) int64 { return s.WorkerRestarts })
}
