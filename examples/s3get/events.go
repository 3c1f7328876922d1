package main

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"github.com/s3processpool/processpool"
)

// events is the view for programs. It prints one JSON object per line.
type events struct{ stdout io.Writer }

func newEvents(w io.Writer) *events { return &events{w} }

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
	Resumed   int64            `json:"resumed"` // those of the bytes that were kept from earlier runs
	Seconds   float64          `json:"seconds"`
	Verified  map[string]int64 `json:"verified"` // objects by checksum; "": not verified
}

// print prints an event in one write, so that it is not mixed with what others write.
func (e *events) print(event any) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(event) != nil {
		return // an event has only values that can be encoded
	}
	text := escapeJSON(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	e.stdout.Write(append(text, '\n'))
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
		e.print(fileEvent{
			Event: "file", Bucket: m.Bucket, Key: m.Key, File: m.Filename,
			Size: o.Size, Resumed: o.Resumed, ETag: o.ETag, VersionID: o.VersionId, LastModified: o.LastModified, Verified: o.Verified,
		})
	}
}

func (e *events) trouble(p problem) {
	event := errorEvent{
		Event: "error", Code: p.code, Status: p.cause.status, RequestID: p.cause.requestID,
		Bucket: p.bucket, Key: p.key, File: p.file, Op: p.cause.op,
		Object: p.object, What: p.what, Todo: p.todo,
	}
	if p.cause.err != nil {
		event.Error = p.cause.err.Error()
	}
	e.print(event)
}

func (e *events) close(t *tally, took time.Duration) {
	e.print(summaryEvent{
		Event: "summary", Done: t.done, Failed: t.failed, Canceled: t.canceled, Unchanged: t.unchanged,
		Bytes: t.bytes, Resumed: t.resumed, Seconds: took.Seconds(), Verified: t.verified,
	})
}
