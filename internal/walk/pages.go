package walk

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/s3processpool/processpool/internal/dispatch"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/tree"
)

// pages returns when all downloads have begun, or none will begin any more.
func (w *Walk) pages() error {
	if err := tree.Check(w.options.Dir); err != nil {
		return w.owner.Wrap(failure.OpCheck, err)
	}
	list := ipc.List{Prefix: w.options.Prefix}
	if w.options.Flat {
		list.Delimiter = "/"
	}
	var past past
	for {
		if err := w.room(); err != nil {
			return err
		}
		page, err := w.page(list)
		if err != nil {
			return err
		}
		if err := past.add(page); err != nil {
			return w.owner.Wrap(failure.OpList, err)
		}
		for _, e := range w.wanted(page) {
			if err := w.room(); err != nil {
				return err
			}
			if err := w.object(e); err != nil {
				return err
			}
		}
		if page.Next == "" {
			w.count(func(p *Progress) { p.Complete = true })
			return nil
		}
		list.Token = page.Next
	}
}

// wanted counts a page's objects, without those that the owner does not want.
func (w *Walk) wanted(page *ipc.Page) (wanted []ipc.Entry) {
	var bytes int64
	for _, e := range page.Entries {
		if w.owner.Wants(e) {
			wanted = append(wanted, e)
			bytes += e.Size
		}
	}
	w.count(func(p *Progress) {
		p.Listed += int64(len(wanted))
		p.BytesTotal += bytes
	})
	return wanted
}

// page asks for a page.
func (w *Walk) page(list ipc.List) (*ipc.Page, error) {
	q := &question{
		loop:   w.loop,
		job:    ipc.Job{Bucket: w.options.Bucket, Args: w.options.Args, List: &list},
		logger: w.options.Logger.With("bucket", w.options.Bucket, "prefix", w.options.Prefix),
		answer: make(chan answer, 1),
	}
	w.loop.Do(func() { w.loop.Urgent(q) })
	for {
		select {
		case a := <-q.answer:
			if a.err != nil {
				return nil, w.owner.Wrap(failure.OpList, a.err)
			}
			return a.page, nil
		case d := <-w.window.Ends():
			w.land(d)
		case <-w.ctx.Done():
			w.loop.Do(q.giveUp)
			return nil, failure.Canceled(w.ctx)
		}
	}
}

// maxLost is how many workers one page may cost.
const maxLost = 3

// question is the task of asking for one page:
//
//	waiting <-> in a worker's hands -> answered
//
// Its fields are the loop's goroutine's, but for answer, which holds the one answer there is until
// it is taken.
type question struct {
	loop   *dispatch.Loop
	job    ipc.Job
	logger *slog.Logger
	answer chan answer

	sent    *dispatch.Job // nil: none, or none any more
	cost    int           // workers lost over it
	tried   int           // requests that they have made
	givenUp bool          // no answer is wanted
}

// answer is a page, or why there is none.
type answer struct {
	page *ipc.Page
	err  error
}

func (q *question) end(page *ipc.Page, err error) {
	if !q.givenUp {
		q.givenUp = true
		q.answer <- answer{page, err}
	}
}

// giveUp ends the question: nobody waits for the answer. Loop goroutine only.
func (q *question) giveUp() {
	q.givenUp = true
	if q.sent != nil {
		q.sent.Abandon(failure.ErrCanceled)
	}
}

// Next implements dispatch.Task.
func (q *question) Next() *dispatch.Job {
	if q.givenUp {
		return nil
	}
	job := q.job
	q.sent = &dispatch.Job{Op: ipc.OpList, Message: &job, Transfer: dispatch.NoTransfer, Tried: q.tried}
	return q.sent
}

// Brief implements dispatch.Task.
func (q *question) Brief() bool { return false }

// Result implements dispatch.Task.
func (q *question) Result(_ *dispatch.Job, r *ipc.Result) {
	q.sent = nil
	switch {
	case r.Err != nil:
		q.end(nil, r.Err.Unpack())
	case r.List == nil:
		q.end(nil, fmt.Errorf("%w: a worker's result has no page", failure.ErrUnexpected))
	default:
		q.end(r.List, nil)
	}
}

// Lost implements dispatch.Task.
func (q *question) Lost(j *dispatch.Job, err error) {
	q.sent, q.tried = nil, j.Requests()
	if q.cost += j.Cost(); q.cost >= maxLost {
		q.end(nil, err)
	} else if !q.givenUp {
		q.loop.Urgent(q)
	}
}

// Cancel implements dispatch.Task. The loop cancels entries only, and this is none.
func (q *question) Cancel(cause error) { q.end(nil, cause) }

// Abort implements dispatch.Task.
func (q *question) Abort(_ string, err error) { q.end(nil, err) }

// Logger implements dispatch.Task.
func (q *question) Logger() *slog.Logger { return q.logger }

// A page has no bytes to tell of, and takes no spare slot.

func (q *question) Soon() bool                            { return false }
func (q *question) Ready() int                            { return 0 }
func (q *question) Spare(int, time.Time) (int, bool)      { return 0, false }
func (q *question) Found(*dispatch.Job, *ipc.Found)       {}
func (q *question) Progress(*dispatch.Job, *ipc.Progress) {}
func (q *question) Retry(*dispatch.Job, *ipc.Retry)       {}
