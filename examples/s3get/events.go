package main

import (
	"encoding/json"
	"io"
	"time"

	"github.com/s3processpool/processpool"
)

// events is the view for programs. It prints one JSON object per line.
type events struct{ encoder *json.Encoder }

func newEvents(w io.Writer) *events {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return &events{e}
}

type fileEvent struct {
	Event        string    `json:"event"` // "file"
	Bucket       string    `json:"bucket"`
	Key          string    `json:"key"`
	File         string    `json:"file"`
	Size         int64     `json:"size"`
	ETag         string    `json:"etag"`
	VersionID    string    `json:"versionId,omitempty"`
	LastModified time.Time `json:"lastModified"`
	Verified     string    `json:"verified"` // the checksum that verified the bytes; "": not verified
}

type errorEvent struct {
	Event  string `json:"event"` // "error"
	Object string `json:"object"`
	What   string `json:"what"`
	Todo   string `json:"todo,omitempty"`
}

type summaryEvent struct {
	Event     string           `json:"event"` // "summary"
	Done      int64            `json:"done"`
	Failed    int64            `json:"failed"`
	Canceled  int64            `json:"canceled"`
	Unchanged int64            `json:"unchanged"`
	Bytes     int64            `json:"bytes"`
	Seconds   float64          `json:"seconds"`
	Verified  map[string]int64 `json:"verified"` // objects by checksum; "": not verified
}

func (e *events) whole(func() (done, total int64)) {}
func (e *events) begin(*processpool.Future)        {}

func (e *events) end(f *processpool.Future) {
	m, o := f.Meta(), f.Object()
	switch {
	case isCanceled(f):
	case f.Result() != nil:
		e.trouble(problemOf(f))
	default:
		e.encoder.Encode(fileEvent{
			Event: "file", Bucket: m.Bucket, Key: m.Key, File: m.Filename,
			Size: o.Size, ETag: o.ETag, VersionID: o.VersionId, LastModified: o.LastModified, Verified: o.Verified,
		})
	}
}

func (e *events) trouble(p problem) {
	e.encoder.Encode(errorEvent{Event: "error", Object: p.object, What: p.what, Todo: p.todo})
}

func (e *events) close(t *tally, took time.Duration) {
	e.encoder.Encode(summaryEvent{
		Event: "summary", Done: t.done, Failed: t.failed, Canceled: t.canceled, Unchanged: t.unchanged,
		Bytes: t.bytes, Seconds: took.Seconds(), Verified: t.verified,
	})
}
