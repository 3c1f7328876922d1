package main

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/s3processpool/processpool/internal/tool/show"
)

// events is the view for programs. It prints one JSON object per line.
type events struct {
	stdout io.Writer
	ticks  ticks
	output sync.Mutex
}

func newEvents(w io.Writer) *events { return &events{stdout: w} }

// print prints an event in one write, so that it is not mixed with what others write.
func (e *events) print(event any) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(event) != nil {
		return // an event has only values that can be encoded
	}
	text := show.EscapeJSON(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	e.output.Lock()
	defer e.output.Unlock()
	e.stdout.Write(append(text, '\n'))
}

func (e *events) whole(read func() status) {
	e.ticks.start(read, func(s status, rate float64) {
		e.print(progressEvent{
			Event: "progress", Done: s.objects, Bytes: s.done, Total: s.total, Rate: rate, Workers: s.workers, Retries: s.retries,
		})
	})
}

func (e *events) begin(*job) {}

func (e *events) end(j *job) {
	m, o := j.future.Meta(), j.future.Object()
	switch {
	case isCanceled(j.future):
	case j.future.Result() != nil:
		e.trouble(problemOf(j.future))
	default:
		e.print(fileEvent{
			Event: "file", Bucket: m.Bucket, Key: m.Key, File: m.Filename,
			Size: o.Size, Resumed: o.Resumed, ETag: o.ETag, VersionID: o.VersionId, LastModified: o.LastModified, Verified: o.Verified,
		})
	}
}

func (e *events) skip(j *job, reason string) {
	e.print(skipEvent{Event: "skip", Reason: reason, Bucket: j.bucket, Key: j.key, File: j.filename})
}

func (e *events) plan(action string, j *job) {
	event := planEvent{Event: "plan", Action: action, Bucket: j.bucket, Key: j.key, File: j.filename}
	if action == "download" && j.size >= 0 {
		event.Size = &j.size
	}
	e.print(event)
}

func (e *events) removed(file string) { e.print(deleteEvent{Event: "delete", File: file}) }

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
	e.ticks.close()
	e.print(summaryEvent{
		Event: "summary", Done: t.done, Failed: t.failed, Canceled: t.canceled, Unchanged: t.unchanged,
		Existing: t.existing, Archived: t.archived, Deleted: t.deleted, Stats: t.stats,
		Bytes: t.bytes, Resumed: t.resumed, Seconds: took.Seconds(), Verified: t.verified,
	})
}
