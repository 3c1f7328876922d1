package dispatch

import "github.com/s3processpool/processpool/internal/ipc"

// connect has workers that had no job yet open their connections while a question is out whose answer may
// be work for them: a HeadObject, or a page of a listing. Their first ranges then need not wait for
// name, TCP and TLS.
func (l *Loop) connect() {
	if l.stopped || l.requests.Limited() {
		return
	}
	bucket := ""
	for _, h := range l.hands {
		if h.warm {
			continue
		}
		if bucket == "" {
			if bucket = l.asked(); bucket == "" {
				return
			}
		}
		h.warm = true
		h.worker.Connect(bucket)
	}
}

// asked returns the bucket that a question under way is about; "": there is none.
func (l *Loop) asked() string {
	for _, h := range l.hands {
		for _, j := range h.jobs {
			if j.question() && j.Message != nil {
				return j.Message.Bucket
			}
		}
	}
	return ""
}

// question reports whether the answer to the job may be work for many workers.
func (j *Job) question() bool { return j.Op == ipc.OpHead || j.Op == ipc.OpList }
