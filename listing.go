package processpool

import (
	"context"
	"log/slog"
	"slices"

	"github.com/s3processpool/processpool/internal/ipc"
)

// listing is one page of a bucket's keys that a Directory waits for:
//
//	waiting <-> in a worker's hands -> ended
//
// Its fields are the scheduler's goroutine's, but for answer, which holds the one
// answer there is until it is taken.
type listing struct {
	scheduler *scheduler
	bucket    string
	list      ipc.List
	args      ipc.Args
	answer    chan listed

	job    *job // nil: none, or none any more
	died   int  // workers, over it
	killed bool // given up; no answer is wanted
}

// listed is a page, or why there is none.
type listed struct {
	page *ipc.Page
	err  error
}

// submit queues a listing. It is never too late, for the Directory that asks is
// under way.
func (l *listing) submit() {
	l.scheduler.revive()
	l.scheduler.listings = append(l.scheduler.listings, l)
}

func (l *listing) next() *job { return &job{op: ipc.OpList, owner: l} }

func (l *listing) assign(j *job) {
	l.leave()
	l.job, j.sent = j, true
	l.scheduler.counters.requested(j.op)
	j.hand.worker.Job(&ipc.Job{ID: j.id, Op: j.op, Bucket: l.bucket, Args: l.args, List: &l.list}, nil)
}

func (l *listing) result(_ *job, r *ipc.Result) {
	l.job = nil
	l.end(r.Page, r.Err.Unpack())
}

func (l *listing) lost(j *job, err error) {
	l.job = nil
	if l.died += j.cost(); l.died >= maxLost {
		l.end(nil, err)
	} else if !l.killed {
		l.submit()
	}
}

// cancel gives the listing up: nobody waits for an answer.
func (l *listing) cancel() {
	l.killed = true
	if l.job != nil {
		l.job.hand.worker.Cancel(l.job.id)
	}
	l.leave()
}

func (l *listing) end(p *ipc.Page, err error) {
	l.leave()
	l.answer <- listed{p, err}
}

func (l *listing) leave() {
	l.scheduler.listings = slices.DeleteFunc(l.scheduler.listings, func(other *listing) bool { return other == l })
}

// A listing has no bytes to tell of.
func (l *listing) found(ipc.Object)             {}
func (l *listing) progress(*job, *ipc.Progress) {}

func (l *listing) log(level slog.Level, text string, args ...any) {
	args = append([]any{"bucket", l.bucket, "prefix", l.list.Prefix}, args...)
	l.scheduler.logger.Log(context.Background(), level, text, args...)
}
