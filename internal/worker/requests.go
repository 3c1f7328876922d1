package worker

import "github.com/s3processpool/processpool/internal/ipc"

// requests reports the requests of a job, where the pool asks. The last one is held back until the
// job's next message, so that both cost one wake-up of the pool. It is the job's goroutine's.
type requests struct {
	server *server
	id     uint64
	last   *ipc.Attempt // not sent yet; nil: none
}

// Begun implements fetch.Reporter.
func (r *requests) Begun() {
	if r.last != nil {
		r.server.send(r.with()...)
	}
}

// Ended implements fetch.Reporter.
func (r *requests) Ended(a *ipc.Attempt) {
	a.ID = r.id
	r.last = a
}

// ends notes that the job makes no further request.
func (r *requests) ends() {
	if r.last != nil {
		r.last.Ends = true
	}
}

// with returns m, behind the attempt that was held back.
func (r *requests) with(m ...ipc.Message) []ipc.Message {
	if r.last != nil {
		m = append([]ipc.Message{r.last}, m...)
		r.last = nil
	}
	return m
}
