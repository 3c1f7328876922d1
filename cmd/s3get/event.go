package main

import "time"

// The events of --json. events.schema.json documents their fields, and a test holds it to these
// types: a field may be added, and none taken away.

type fileEvent struct {
	Event        string    `json:"event"` // "file"
	Bucket       string    `json:"bucket"`
	Key          string    `json:"key"`
	File         string    `json:"file"`
	Size         int64     `json:"size"`
	Resumed      int64     `json:"resumed,omitempty"` // bytes that were kept from earlier runs
	ETag         string    `json:"etag"`
	VersionID    string    `json:"versionId,omitempty"`
	LastModified time.Time `json:"lastModified"`
	Verified     string    `json:"verified"` // the checksum that verified the bytes; "": not verified
}

type errorEvent struct {
	Event     string `json:"event"`               // "error"
	Code      string `json:"code"`                // of S3, or of the table of errors in README.md
	Status    int    `json:"status,omitempty"`    // of the server's answer; 0: there was none
	RequestID string `json:"requestId,omitempty"` // of the server's answer
	Bucket    string `json:"bucket,omitempty"`
	Key       string `json:"key,omitempty"` // with --recursive also the prefix
	File      string `json:"file,omitempty"`
	Op        string `json:"op,omitempty"` // the step: a value of processpool.TransferError.Op
	Object    string `json:"object,omitempty"`
	What      string `json:"what"`
	Todo      string `json:"todo,omitempty"`
	Error     string `json:"error,omitempty"` // the full text
}

type summaryEvent struct {
	Event     string           `json:"event"` // "summary"
	Done      int64            `json:"done"`
	Failed    int64            `json:"failed"`
	Canceled  int64            `json:"canceled"`
	Unchanged int64            `json:"unchanged"`
	Bytes     int64            `json:"bytes"`
	Resumed   int64            `json:"resumed"`            // those of the bytes that were kept from earlier runs
	Existing  int64            `json:"existing,omitempty"` // objects that --no-clobber has skipped
	Archived  int64            `json:"archived,omitempty"` // objects that must be restored first
	Deleted   int64            `json:"deleted,omitempty"`  // files
	Seconds   float64          `json:"seconds"`
	Verified  map[string]int64 `json:"verified"`        // objects by checksum; "": not verified
	Stats     *stats           `json:"stats,omitempty"` // with --stat
}

// progressEvent comes every 10 seconds.
type progressEvent struct {
	Event   string  `json:"event"` // "progress"
	Done    int64   `json:"done"`  // objects
	Bytes   int64   `json:"bytes"` // that are in files
	Total   int64   `json:"total"` // bytes of the objects that are known so far
	Rate    float64 `json:"rate"`  // bytes per second, smoothed
	Workers int64   `json:"workers"`
	Retries int64   `json:"retries"`
}

// skipEvent is an object that is not downloaded.
type skipEvent struct {
	Event  string `json:"event"`  // "skip"
	Reason string `json:"reason"` // unchanged, exists or archived
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	File   string `json:"file"`
}

// planEvent is a step of --dry-run.
type planEvent struct {
	Event  string `json:"event"`  // "plan"
	Action string `json:"action"` // download or delete
	Bucket string `json:"bucket,omitempty"`
	Key    string `json:"key,omitempty"`
	File   string `json:"file"`
	Size   *int64 `json:"size,omitempty"` // nil: not known
}

// deleteEvent is a file that was removed, or in s3get clean may be.
type deleteEvent struct {
	Event string `json:"event"` // "delete"
	File  string `json:"file"`
}

// objectEvent is an object that s3get ls lists.
type objectEvent struct {
	Event        string    `json:"event"` // "object"
	Bucket       string    `json:"bucket"`
	Key          string    `json:"key"`
	Size         int64     `json:"size"`
	LastModified time.Time `json:"lastModified"`
	ETag         string    `json:"etag"`
	StorageClass string    `json:"storageClass,omitempty"`
}

// prefixEvent is a prefix that s3get ls lists without what is below.
type prefixEvent struct {
	Event  string `json:"event"` // "prefix"
	Bucket string `json:"bucket"`
	Prefix string `json:"prefix"`
}

// totalEvent is the end of s3get ls --total.
type totalEvent struct {
	Event   string `json:"event"` // "total"
	Objects int64  `json:"objects"`
	Bytes   int64  `json:"bytes"`
}
