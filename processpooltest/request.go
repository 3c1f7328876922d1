package processpooltest

import (
	"maps"
	"net/http"
	"time"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Request is a request that has arrived at a [Server].
type Request struct {
	// Operation is HeadObject, GetObject, GetObjectAttributes, HeadBucket or ListObjectsV2, or the
	// HTTP method of another operation, which the server does not have.
	Operation string
	Bucket    string
	Key       string // empty for the operations of a bucket
	Range     string // as the header has it, such as bytes=0-8388607
	VersionId string
	Header    http.Header
	Time      time.Time // when it arrived
}

// Requests returns all requests so far, in the order in which they arrived.
func (s *Server) Requests() []Request {
	var all []Request
	for _, r := range s.origin.Requests() {
		all = append(all, newRequest(r))
	}
	return all
}

func newRequest(r s3test.Request) Request {
	return Request{
		Operation: operation(r), Bucket: r.Bucket, Key: r.Key, Range: r.Range, VersionId: r.VersionID,
		Header: maps.Clone(r.Header), Time: r.Start,
	}
}

// operation returns S3's name for what a request asks for.
func operation(r s3test.Request) string {
	get, head := r.Method == http.MethodGet, r.Method == http.MethodHead
	switch {
	case head && r.Key != "":
		return "HeadObject"
	case head:
		return "HeadBucket"
	case get && r.Key != "" && r.Query.Has("attributes"):
		return "GetObjectAttributes"
	case get && r.Key != "":
		return "GetObject"
	case get && r.Query.Get("list-type") == "2":
		return "ListObjectsV2"
	}
	return r.Method
}
