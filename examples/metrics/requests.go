package main

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/s3processpool/processpool"
)

// requests are the metrics of the requests to S3. Histograms count the requests, too.
type requests struct {
	duration *prometheus.HistogramVec
	bytes    *prometheus.CounterVec
}

func newRequests() *requests {
	return &requests{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "processpool_request_duration_seconds",
			Help:    "Time of a request to S3, until its body was read. The status is 0 if there was no answer.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14), // 5 ms to 41 s
		}, []string{"operation", "status"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "processpool_received_bytes_total",
			Help: "Bytes of bodies that were read.",
		}, []string{"operation"}),
	}
}

// attempt counts a request. It is an OnAttempt.
func (r *requests) attempt(a processpool.Attempt) {
	r.duration.WithLabelValues(a.Operation, strconv.Itoa(a.StatusCode)).Observe(a.End.Sub(a.Start).Seconds())
	r.bytes.WithLabelValues(a.Operation).Add(float64(a.Bytes))
}

func (r *requests) Describe(descs chan<- *prometheus.Desc) {
	r.duration.Describe(descs)
	r.bytes.Describe(descs)
}

func (r *requests) Collect(metrics chan<- prometheus.Metric) {
	r.duration.Collect(metrics)
	r.bytes.Collect(metrics)
}
