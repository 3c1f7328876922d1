package dispatch

import "github.com/s3processpool/processpool/internal/ipc"

// connect has workers without a job open their connections while a question is out whose answer may
// be work for them: a HeadObject, or a page of a listing. Their first ranges then need not wait for
// name, TCP and TLS. A worker that had a job has a connection.
func (l *Loop) connect() {
	bucket, known := "", false
	for _, h := range l.hands {
		if h.warm || l.stopped {
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
