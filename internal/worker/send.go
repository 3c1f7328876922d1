package worker

import (
	"errors"
	"fmt"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// send sends messages of a job. It returns an error if one cannot be sent, which is then the job's
// error, and nothing is sent. An error of the socket, after which the conversation is over, ends
// serve.
func (s *server) send(messages ...ipc.Message) error {
	for _, m := range messages {
		if err := tooLong(m); err != nil {
			return err
		}
	}
	err := s.conn.SendAll(messages...)
	var unsendable *ipc.UnsendableError
	if err != nil && !errors.As(err, &unsendable) {
		s.broken.CompareAndSwap(nil, &err)
		s.conn.Close() // serve waits in Receive, and the pool for an end
	}
	return err
}

// tooLong returns an error if an object's ETag or version is longer than any of S3. The pool keeps
// both while the download is under way, and holds it against the worker if they are too long.
func tooLong(m ipc.Message) error {
	var o *ipc.Object
	name := "Found"
	switch m := m.(type) {
	case *ipc.Found:
		o = &m.Object
	case *ipc.Result:
		name = "Result of " + string(m.Op())
		switch {
		case m.Head != nil:
			o = &m.Head.Object
		case m.Get != nil:
			o = &m.Get.Object
		}
	}
	if o == nil || max(len(o.ETag), len(o.VersionID)) <= failure.MaxText {
		return nil
	}
	return &ipc.UnsendableError{Message: name, Err: fmt.Errorf(
		"its ETag of %d bytes or its version of %d is over the limit of %d", len(o.ETag), len(o.VersionID), failure.MaxText)}
}

// finish sends a job's result. If it cannot be sent, the job's result is the error that says so:
// without a Result the pool would wait for ever.
func (s *server) finish(result *ipc.Result, r *requests) {
	r.ends()
	last := r.last
	err := s.ahead(result)
	if err == nil {
		err = s.send(r.with(result)...)
	}
	if err != nil {
		r.last = last // nothing was sent
		s.send(r.with(&ipc.Result{ID: result.ID, Err: failure.Pack(err)})...)
	}
}

// listedSize is how many bytes of a page go into one frame. A page of 1000 keys, the most that S3
// sends, normally is smaller. Some servers send all keys in one page.
const listedSize = 1 << 20

// ahead sends the first entries of a large page, and leaves the last of them in the result.
func (s *server) ahead(result *ipc.Result) error {
	if result.List == nil {
		return nil
	}
	for {
		n := fit(result.List.Entries)
		if n == len(result.List.Entries) {
			return nil
		}
		if err := s.send(&ipc.Listed{ID: result.ID, Entries: result.List.Entries[:n]}); err != nil {
			return err
		}
		rest := *result.List
		rest.Entries = rest.Entries[n:]
		result.List = &rest
	}
}

// fit returns how many of the entries go into one frame: at least one.
func fit(entries []ipc.Entry) int {
	size := 0
	for n := range entries {
		if size += entries[n].FrameSize(); size > listedSize && n > 0 {
			return n
		}
	}
	return len(entries)
}
