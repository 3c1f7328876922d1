package main

import (
	"fmt"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/tool/show"
)

// stats are the numbers of --stat.
type stats struct {
	Requests     int64  `json:"requests"`     // attempts at HeadObject, GetObject and listings
	Heads        int64  `json:"headObject"`   // of which HeadObject
	Gets         int64  `json:"getObject"`    // of which GetObject
	Retries      int64  `json:"retries"`      // attempts that were made again
	Throttled    int64  `json:"throttled"`    // of which the server asked for a slower pace
	Workers      int64  `json:"workers"`      // processes at the end
	Restarts     int64  `json:"restarts"`     // processes that have replaced a lost one
	BytesWritten int64  `json:"bytesWritten"` // those that were fetched again count again
	BytesDirect  int64  `json:"bytesDirect"`  // with --direct-io, past the page cache
	Sandbox      string `json:"sandbox"`      // what fences the workers in
}

func newStats(s processpool.Stats) *stats {
	r := s.Retries
	return &stats{
		Requests: s.Requests.HeadObject + s.Requests.GetObject + s.Requests.GetObjectAttributes + s.Requests.ListObjectsV2,
		Heads:    s.Requests.HeadObject, Gets: s.Requests.GetObject,
		Retries:   r.Throttled + r.Stalled + r.Connection + r.Unexpected + r.Other,
		Throttled: r.Throttled, Workers: s.Workers, Restarts: s.WorkerRestarts,
		BytesWritten: s.BytesWritten, BytesDirect: s.BytesDirect, Sandbox: s.Sandbox,
	}
}

func (s *stats) String() string {
	return fmt.Sprintf("%s (%d HeadObject, %d GetObject), %s (%d throttled), %s, %d replaced, %s written (%s past the page cache), sandbox: %s",
		count(s.Requests, "request", "requests"), s.Heads, s.Gets, count(s.Retries, "retry", "retries"), s.Throttled,
		count(s.Workers, "worker", "workers"), s.Restarts, show.Human(s.BytesWritten), show.Human(s.BytesDirect), show.Printable(s.Sandbox))
}
