package dispatch

import (
	"time"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// requests is what a job's requests have come to, for those who are told of them.
type requests struct {
	made    int       // of the job's own operation, those of earlier jobs for its range included
	written int64     // Job.Written when the last one ended
	ended   time.Time // when the last one ended
	resumes time.Time // the job waits until then before the next one
	backlog *backlog  // of those that the caller has yet to be told of
	over    bool      // there is none under way, and there will be none
}

// attempted reports a request of the job.
func (j *Job) attempted(m *ipc.Attempt) {
	if j.loop.attempts == nil || j.requests.over {
		return
	}
	now := now()
	a := Attempt{
		Op: m.Op, Offset: m.Offset, Length: m.Length, Number: m.Number,
		Start: time.Unix(0, m.Start), End: time.Unix(0, m.End),
		Bytes: m.Bytes, Status: m.Status, RequestID: m.RequestID, HostID: m.HostID, RemoteAddr: m.RemoteAddr,
		Err: m.Err.Unpack(), size: m.Size(),
	}
	if a.End.After(now) || a.End.Before(j.Begun) { // its clock is the worker's word
		a.End = now
	}
	if a.Start.Before(j.Begun) || a.Start.After(a.End) {
		a.Start = j.Begun
	}
	if m.Op == j.Op {
		a.Number += j.Tried
		j.requests.made = a.Number
	}
	j.requests.written, j.requests.ended, j.requests.over = j.Written, a.End, m.Ends
	j.report(a)
}

// cut reports the request that is under way, of which there will be no word, as failed with err. It
// is the last of the job.
func (j *Job) cut(err error) {
	if j.loop.attempts == nil || j.requests.over || !j.Sent() || j.Op == ipc.OpRead {
		return
	}
	j.requests.over = true
	now := now()
	a := Attempt{Start: j.Begun, End: now, Err: err}
	for _, t := range []time.Time{j.requests.ended, j.requests.resumes} {
		if t.After(a.Start) {
			a.Start = t
		}
	}
	if a.Start.After(now) {
		return // it waits between two requests
	}
	j.requests.made = j.Requests() + 1
	a.Op, a.Number = j.Op, j.requests.made
	if get := j.sent.Get; get != nil {
		a.Offset, a.Length = get.Offset+j.requests.written, ipc.SizeUnknown
		if get.Length != ipc.SizeUnknown {
			a.Length = get.Length - j.requests.written
		}
		a.Bytes = max(0, j.Written-j.requests.written)
	}
	j.report(a)
}

func (j *Job) report(a Attempt) {
	a.Transfer, a.Bucket, a.Key, a.Worker = j.Transfer, j.sent.Bucket, j.sent.Key, j.PID()
	if j.sent.List != nil {
		a.Key = j.sent.List.Prefix
	}
	if j.requests.backlog == nil {
		j.requests.backlog = &backlog{}
	}
	a.of = j.requests.backlog
	j.loop.attempts.add(a)
}

// retried notes that the job waits before its next request.
func (r *requests) retried(m *ipc.Retry, written int64) {
	r.resumes, r.written = now().Add(m.Wait), written
}

// Abandon is Cancel for a job whose outcome does not matter any more: those who are told of requests
// are told at once that the one under way has failed with cause, and nothing later. Loop goroutine
// only.
func (j *Job) Abandon(cause error) {
	if cause == nil {
		cause = failure.ErrCanceled
	}
	j.cut(cause)
	j.requests.over = true
	j.Cancel()
}

// Requests returns how many requests of its operation were made for the job's range, by it and by
// earlier jobs. It is 0 where nobody is told of them. Loop goroutine only.
func (j *Job) Requests() int { return max(j.Tried, j.requests.made) }
