package worker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/fetch"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/osfile"
)

// run runs a job to its result, and closes file: the pool may publish the file when it has the
// result, and waits until nobody can write to it. It does not change the job.
func (s *server) run(ctx context.Context, job *ipc.Job, file *splitFile, r *requests) *ipc.Result {
	defer file.close()
	result := &ipc.Result{ID: job.ID}
	if err := s.do(fetch.Reported(ctx, r), result, job, file, r); err != nil {
		return &ipc.Result{ID: job.ID, Err: failure.Pack(err)}
	}
	return result
}

// do runs a job and sets the payload of its result.
func (s *server) do(ctx context.Context, result *ipc.Result, job *ipc.Job, file *splitFile, r *requests) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	if err := computable(job); err != nil {
		return err
	}
	switch op := job.Op(); op {
	case ipc.OpHead:
		result.Head, err = client.Head(ctx, job, s.retrying(job, r))
	case ipc.OpParts:
		result.Parts, err = client.Parts(ctx, job, s.retrying(job, r))
	case ipc.OpList:
		result.List, err = client.List(ctx, job, s.retrying(job, r))
	case ipc.OpRead:
		result.Read, err = read(ctx, job.Read, file.file)
	case ipc.OpGet:
		result.Get, result.Request, err = s.get(ctx, client, job, file, r)
	default:
		return fmt.Errorf("job %d has no operation, or more than one", job.ID)
	}
	return err
}

// computable returns an error if this process must not compute a checksum of the job. The pool asks
// for none that it must not compute itself, but a program of the user's may be built with another
// GODEBUG.
func computable(job *ipc.Job) error {
	var asked []checksum.Algorithm
	if g := job.Get; g != nil {
		asked = append(slices.Clone(g.Also), g.Checksum)
	} else if r := job.Read; r != nil {
		asked = append(slices.Clone(r.Also), r.Checksum)
	}
	for _, a := range asked {
		if a.Barred() {
			return fmt.Errorf("a worker in FIPS 140-only mode (GODEBUG=fips140=only) cannot compute %s: give the application the same mode", a)
		}
	}
	return nil
}

// get runs a Get. A Found that cannot be sent ends the job with the reason: the pool may wait for it
// before it hands out further ranges.
func (s *server) get(ctx context.Context, client *fetch.Client, job *ipc.Job, file *splitFile, r *requests) (
	result *ipc.GetResult, request string, err error,
) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var unsent error
	result, request, err = client.Get(ctx, job, file, fetch.Observer{
		Retrying: s.retrying(job, r),
		Found: func(object ipc.Object, chosen *checksum.Stored) {
			if unsent = s.send(&ipc.Found{ID: job.ID, Object: object, Chosen: chosen}); unsent != nil {
				cancel(unsent)
			}
		},
		Progress: s.progress(job),
	})
	if unsent != nil {
		return nil, "", unsent
	}
	if err == nil {
		result.Direct = min(file.went, result.Written) // what was fetched twice was written twice
	}
	if err == nil && job.Get.WriteBack && result.Written > 0 {
		osfile.WriteBack(file.file, job.Get.Offset-job.Get.Base, result.Written)
	}
	return result, failure.Cut(request, maxRequest), err
}

// maxRequest bounds S3's id of a request, which is for people. An id of S3 has 16 characters.
const maxRequest = 1 << 10

// retrying returns a function that reports failed attempts to the pool.
func (s *server) retrying(job *ipc.Job, r *requests) fetch.Retrying {
	return func(attempt int, wait time.Duration, cause error) {
		s.send(r.with(&ipc.Retry{
			ID: job.ID, Attempt: attempt, Wait: wait, Asked: failure.Asked(cause), Cause: failure.Cut(cause.Error(), failure.MaxText),
			Request: failure.RequestID(cause), Kind: failure.KindOf(cause),
		})...)
	}
}

// progressEvery is the shortest time between two Progress messages about one range. Each message
// wakes the pool's process, which should sleep while bytes arrive.
const progressEvery = 100 * time.Millisecond

// progress returns a function that reports a range's progress to the pool, at most once in
// progressEvery. It does not report the end: the Result does. It reports at once that the range
// begins again, because the bytes reported before are no longer to be relied on.
func (s *server) progress(job *ipc.Job) func(written, length int64, sums *checksum.Sums) {
	last := time.Now()
	return func(written, length int64, sums *checksum.Sums) {
		now := time.Now()
		if written == 0 || written < length && now.Sub(last) >= progressEvery {
			last = now
			s.send(&ipc.Progress{ID: job.ID, Written: written, Sum: sums.Proof, Record: sums.Record, Also: sums.Also(false)})
		}
	}
}
