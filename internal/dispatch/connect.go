package dispatch

import "github.com/s3processpool/processpool/internal/ipc"

// connect has workers that had no job yet open their connections while a question is out whose answer may
// be work for them: a HeadObject, or a page of a listing. Their first ranges then need not wait for
// name, TCP and TLS.
func (l *Loop) connect() {
	if l.stopped || l.requests.Limited() {
		return
	}
	bucket, known := "", false
	for _, h := range l.hands {
		if h.warm {
			continue
		}
		if !known {
			if bucket, known = l.asked(), true; bucket == "" {
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
			if (j.Op == ipc.OpHead || j.Op == ipc.OpList) && j.Message != nil {
				return j.Message.Bucket
			}
		}
	}
	return ""
}
