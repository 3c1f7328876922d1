package pool

import (
	"errors"
	"fmt"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/proof"
)

// A worker is a process of its own, and the application does not trust what it says: no message of it
// may crash the application, hang a download that is not its own, or use up memory. Every message is
// checked against the job that it is about before anything acts on it. A worker whose message does not
// fit is lost, and its jobs are handed out again.

// kinds are those of a Retry.
var kinds = map[failure.Kind]bool{
	failure.KindThrottled: true, failure.KindStalled: true, failure.KindConnection: true,
	failure.KindUnexpected: true, failure.KindOther: true,
}

// maxText bounds the texts in a worker's words, in bytes. A worker cuts them to 4 KiB.
const maxText = 16 << 10

// check returns what is wrong with a message about the job, or nil.
func (p *pending) check(message ipc.Message) error {
	get := p.job.Get
	switch m := message.(type) {
	case *ipc.Found:
		switch {
		case get == nil || !get.Unconfirmed:
			return errors.New("an object that the job did not ask for")
		case p.found != nil:
			return errors.New("a second object for one job")
		}
		p.found = &m.Object
		return p.checkObject(&m.Object, m.Chosen)
	case *ipc.Progress:
		switch {
		case get == nil:
			return errors.New("progress of a job that writes nothing")
		case m.Written < 0 || m.Written > p.room():
			return fmt.Errorf("progress of %d bytes in a range of %d", m.Written, p.room())
		}
	case *ipc.Retry:
		if m.Attempt < 1 || m.Wait < 0 || len(m.Cause) > maxText || len(m.Request) > maxText || !kinds[m.Kind] {
			return errors.New("an attempt that makes no sense")
		}
	case *ipc.Result:
		return p.checkResult(m)
	}
	return nil
}

// room is how many bytes the job may write: none of an object that it has yet to tell.
func (p *pending) room() int64 {
	switch get := p.job.Get; {
	case get.Length != ipc.SizeUnknown:
		return get.Length
	case p.found != nil:
		return p.found.Size
	}
	return 0
}

func (p *pending) checkResult(r *ipc.Result) error {
	op := r.Op()
	switch {
	case len(r.Request) > maxText:
		return errors.New("a request id without end")
	case r.Err != nil && op != "":
		return errors.New("an error and an answer at once")
	case r.Err != nil:
		return nil
	case op != p.job.Op():
		return fmt.Errorf("an answer to %q, asked for %q", op, p.job.Op())
	}
	switch op {
	case ipc.OpHead:
		return p.checkObject(&r.Head.Object, nil)
	case ipc.OpGet:
		return p.checkGet(r.Get)
	case ipc.OpParts:
		return p.checkParts(r.Parts)
	case ipc.OpRead:
		return checkDigest(p.job.Read.Checksum, r.Read.Digest)
	case ipc.OpList:
		for _, e := range r.List.Entries {
			if e.Size < 0 || len(e.Key) == 0 {
				return errors.New("a page with an object that has no key, or a size below 0")
			}
		}
		if r.List.Next != "" && r.List.Next == p.job.List.Token {
			return errors.New("a page that leads to itself")
		}
	}
	return nil
}

func (p *pending) checkGet(g *ipc.GetResult) error {
	get := p.job.Get
	if g.Unsuited {
		if get.Limit == 0 {
			return errors.New("an object beyond a limit that there is not")
		}
		return nil
	}
	if err := p.checkObject(&g.Object, g.Chosen); err != nil {
		return err
	}
	length, sum := get.Length, get.Checksum
	if length == ipc.SizeUnknown {
		length = g.Object.Size
	}
	if get.Unconfirmed && g.Chosen != nil {
		sum = g.Chosen.Algorithm
	}
	switch {
	case p.found != nil && p.found.Size != g.Object.Size:
		return errors.New("an object that is not the one it had told of")
	case g.Written != length:
		return fmt.Errorf("%d bytes written of a range of %d", g.Written, length)
	}
	return checkDigest(sum, g.Digest)
}

// checkDigest returns an error unless the digest is one of the algorithm, which must be there if its
// checksums do not combine.
func checkDigest(a checksum.Algorithm, digest []byte) error {
	if a == "" || a.Combines() {
		return nil
	}
	if want := a.New().Size(); len(digest) != want {
		return fmt.Errorf("a digest of %d bytes where %s has %d", len(digest), a, want)
	}
	return nil
}

// checkObject checks what a worker says of an object. chosen is what it verifies the bytes by, or nil.
func (p *pending) checkObject(o *ipc.Object, chosen *checksum.Stored) error {
	switch {
	case o.Size < 0:
		return fmt.Errorf("an object of %d bytes", o.Size)
	case len(o.ETag) > maxText || len(o.VersionID) > maxText:
		return errors.New("an ETag or a version without end")
	case !o.Layout.Fits(o.Size):
		return errors.New("parts that do not make up the object")
	}
	if get := p.job.Get; get != nil && get.Size != ipc.SizeUnknown && o.Size != get.Size {
		return fmt.Errorf("an object of %d bytes where one of %d was asked for", o.Size, get.Size)
	}
	stored := o.Stored
	if chosen != nil {
		if get := p.job.Get; get == nil || !get.Choose || proof.OfParts([]checksum.Stored{*chosen}) {
			return errors.New("a choice that the job did not ask for")
		}
		stored = append(stored[:len(stored):len(stored)], *chosen)
	}
	for _, s := range stored {
		if s.Algorithm.New() == nil || s.Parts < 0 || s.Parts > proof.MaxParts || len(s.Value) > maxText {
			return fmt.Errorf("a checksum that S3 does not have: %q", s.Algorithm)
		}
	}
	return nil
}

func (p *pending) checkParts(r *ipc.PartsResult) error {
	if !r.Layout.Fits(p.job.Parts.Size) || r.Layout.Known() && len(r.Parts) > r.Layout.Count() {
		return errors.New("parts that do not make up the object")
	}
	for _, part := range r.Parts {
		if part.Algorithm != "" && part.Algorithm.New() == nil || len(part.Value) > maxText {
			return fmt.Errorf("a checksum that S3 does not have: %q", part.Algorithm)
		}
	}
	return nil
}
