package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/s3processpool/processpool"
)

// series is one number of processpool.Stats as a Prometheus time series.
type series struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	labels []string
	value  func(processpool.Stats) int64
}

// group returns the series of one metric, one for each value of its label.
func group(name, help, label string, kind prometheus.ValueType, values map[string]func(processpool.Stats) int64) []series {
	var labels []string
	if label != "" {
		labels = []string{label}
	}
	desc := prometheus.NewDesc("processpool_"+name, help, labels, nil)
	var all []series
	for value, read := range values {
		s := series{desc: desc, kind: kind, value: read}
		if label != "" {
			s.labels = []string{value}
		}
		all = append(all, s)
	}
	return all
}

type reader = func(processpool.Stats) int64

var groups = [][]series{
	group("downloads", "Downloads that have not ended.", "state", prometheus.GaugeValue, map[string]reader{
		"queued": func(s processpool.Stats) int64 { return s.Queued },
		"active": func(s processpool.Stats) int64 { return s.Active },
	}),
	group("downloads_total", "Downloads that have ended.", "outcome", prometheus.CounterValue, map[string]reader{
		"done":     func(s processpool.Stats) int64 { return s.Done },
		"failed":   func(s processpool.Stats) int64 { return s.Failed },
		"canceled": func(s processpool.Stats) int64 { return s.Canceled },
	}),
	group("written_bytes_total", "Bytes written to temporary files.", "", prometheus.CounterValue, map[string]reader{
		"": func(s processpool.Stats) int64 { return s.BytesWritten },
	}),
	group("requests_total", "Attempted requests to S3.", "operation", prometheus.CounterValue, map[string]reader{
		"HeadObject":          func(s processpool.Stats) int64 { return s.Requests.HeadObject },
		"GetObject":           func(s processpool.Stats) int64 { return s.Requests.GetObject },
		"GetObjectAttributes": func(s processpool.Stats) int64 { return s.Requests.GetObjectAttributes },
		"ListObjectsV2":       func(s processpool.Stats) int64 { return s.Requests.ListObjectsV2 },
	}),
	group("retries_total", "Failed attempts that were retried.", "cause", prometheus.CounterValue, map[string]reader{
		"throttled":  func(s processpool.Stats) int64 { return s.Retries.Throttled },
		"stalled":    func(s processpool.Stats) int64 { return s.Retries.Stalled },
		"connection": func(s processpool.Stats) int64 { return s.Retries.Connection },
		"unexpected": func(s processpool.Stats) int64 { return s.Retries.Unexpected },
		"other":      func(s processpool.Stats) int64 { return s.Retries.Other },
		"slow":       func(s processpool.Stats) int64 { return s.Retries.Slow },
	}),
	group("workers", "Running worker processes.", "", prometheus.GaugeValue, map[string]reader{
		"": func(s processpool.Stats) int64 { return s.Workers },
	}),
	group("worker_restarts_total", "Worker processes that replaced a lost one.", "", prometheus.CounterValue, map[string]reader{
		"": func(s processpool.Stats) int64 { return s.WorkerRestarts },
	}),
}

// collector reads the Stats of a Downloader at each scrape.
type collector struct{ stats func() processpool.Stats }

func (c collector) Describe(descs chan<- *prometheus.Desc) {
	for _, g := range groups {
		descs <- g[0].desc
	}
}

func (c collector) Collect(metrics chan<- prometheus.Metric) {
	stats := c.stats()
	for _, g := range groups {
		for _, s := range g {
			metrics <- prometheus.MustNewConstMetric(s.desc, s.kind, float64(s.value(stats)), s.labels...)
		}
	}
}
