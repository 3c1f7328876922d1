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
// fit is lost, and its jobs are handed out again. See package fetch for what a worker may say, and
// when.

// kinds are those of a Retry.
var kinds = map[failure.Kind]bool{
	failure.KindThrottled: true, failure.KindStalled: true, failure.KindConnection: true,
	failure.KindUnexpected: true, failure.KindOther: true,
}

// maxText bounds each text in a worker's words, in bytes, that its job's task keeps or logs. A worker
// cuts them to failure.MaxText, or does not send them. On the way a byte that is not UTF-8 becomes
// three (encoding/json).
const maxText = 4 * failure.MaxText

// maxError bounds all texts of an error together, as they are on the way.
const maxError = 24 * failure.MaxText

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
		case get.Length == ipc.SizeUnknown && m.Object.Size < p.written:
			return fmt.Errorf("an object of %d bytes after %d were written", m.Object.Size, p.written)
		}
		p.found = m
		return p.checkFound(&m.Object, m.Chosen)
	case *ipc.Progress:
		switch room := p.room(); {
		case get == nil:
			return errors.New("progress of a job that writes nothing")
		case m.Written < 0 || m.Written > room:
			return fmt.Errorf("progress of %d bytes in a range of %d", m.Written, room)
		}
		p.written = m.Written
		return checkAlso(get.Also, m.Also, false)
	case *ipc.Retry:
		if m.Kind == failure.KindUnexpected {
			p.written = 0 // they are written again
		}
		return p.checkRetry(m)
	case *ipc.Attempt:
		return p.checkAttempt(m)
	case *ipc.Listed:
		if p.job.List == nil {
			return errors.New("keys that the job did not ask for")
		}
		return p.checkEntries(m.Entries)
	case *ipc.Result:
		return p.checkResult(m)
	}
	return nil
}

// room is how many bytes the job may write.
func (p *pending) room() int64 {
	switch get := p.job.Get; {
	case get == nil:
		return 0
	case get.Length != ipc.SizeUnknown:
		return get.Length
	case p.found != nil:
		return p.found.Object.Size
	default: // of a small object no Found need come before its bytes
		return max(0, get.Limit-1)
	}
}

func (p *pending) checkRetry(m *ipc.Retry) error {
	switch {
	case p.job.Read != nil:
		return errors.New("an attempt of a job that makes no request")
	case m.Attempt < 1:
		return fmt.Errorf("attempt %d", m.Attempt)
	case m.Wait < 0 || m.Wait > failure.MaxWait:
		return fmt.Errorf("a pause of %v", m.Wait)
	case m.Asked < 0 || m.Asked > failure.MaxWait:
		return fmt.Errorf("a request for a pause of %v", m.Asked)
	case !kinds[m.Kind]:
		return fmt.Errorf("a failure of an unknown kind, %.20q", m.Kind)
	case len(m.Cause) > maxText || len(m.Request) > maxText:
		return fmt.Errorf("a text of %d bytes", max(len(m.Cause), len(m.Request)))
	}
	return nil
}

func (p *pending) checkResult(r *ipc.Result) error {
	op := r.Op()
	switch {
	case len(r.Request) > maxText:
		return fmt.Errorf("a request id of %d bytes", len(r.Request))
	case (r.Err != nil || r.Waited) && (r.Head != nil || r.Get != nil || r.Parts != nil || r.List != nil || r.Read != nil),
		r.Err != nil && r.Waited:
		return errors.New("an error and an answer at once")
	case r.Waited && (!p.recalled || p.words > 0):
		return errors.New("that it has not begun the job")
	case r.Waited:
		return nil
	case r.Err != nil:
		if n := r.Err.Size(); n > maxError {
			return fmt.Errorf("an error of %d bytes", n)
		}
		return nil
	case op != p.job.Op():
		return fmt.Errorf("an answer to %q, asked for %q", op, p.job.Op())
	}
	switch op {
	case ipc.OpHead:
		return p.checkHead(r.Head)
	case ipc.OpGet:
		return p.checkGet(r.Get)
	case ipc.OpParts:
		return p.checkParts(r.Parts)
	case ipc.OpRead:
		if err := checkAlso(p.job.Read.Also, r.Read.Also, true); err != nil {
			return err
		}
		return checkDigest(p.job.Read.Checksum, r.Read.Digest)
	case ipc.OpList:
		if r.List.Next != "" && r.List.Next == p.job.List.Token {
			return errors.New("a page that leads to itself")
		}
		return p.checkEntries(r.List.Entries)
	}
	return nil
}

func (p *pending) checkHead(r *ipc.HeadResult) error {
	o, head := &r.Object, p.job.Head
	if err := checkObject(o); err != nil {
		return err
	}
	needs := proof.NeedsLayout(o.Stored) || head.Range != nil && proof.OfPartSums(o.Stored)
	switch {
	case o.Layout.Known() && !(head.Layout && needs), len(r.Parts) > 0 && head.Range == nil:
		return errors.New("parts that the job did not ask for")
	case len(r.Parts) > 0 && (!o.Layout.Known() || len(r.Parts) != o.Layout.Count()):
		return errors.New("parts that do not make up the object")
	}
	return checkPartSums(r.Parts)
}

// checkFound checks the object that the answers to a Get describe, and what the worker verifies it by.
func (p *pending) checkFound(o *ipc.Object, chosen *checksum.Stored) error {
	if err := checkObject(o); err != nil {
		return err
	}
	get := p.job.Get
	switch {
	case o.Layout.Known():
		return errors.New("parts that the job did not ask for")
	case get.Size != ipc.SizeUnknown && o.Size != get.Size:
		return fmt.Errorf("an object of %d bytes where one of %d was asked for", o.Size, get.Size)
	case get.Length == ipc.SizeUnknown && o.Size >= get.Limit:
		return fmt.Errorf("an object of %d bytes where the limit is %d", o.Size, get.Limit)
	case get.Size == ipc.SizeUnknown && (get.Offset > o.Size || get.Length > o.Size-get.Offset):
		return fmt.Errorf("a range of %d bytes at %d of an object of %d", get.Length, get.Offset, o.Size)
	case chosen != nil && !(get.Unconfirmed && get.Choose):
		return errors.New("a choice that the job did not ask for")
	case !get.Unconfirmed || !get.Choose:
		return nil
	}
	want, ok := proof.Choose(o.Stored, get.OneRange, proof.Layout{})
	if ok != (chosen != nil) || ok && *chosen != want {
		return errors.New("a choice that does not follow from the object's checksums")
	}
	return nil
}

func (p *pending) checkGet(g *ipc.GetResult) error {
	get := p.job.Get
	if g.Unsuited {
		if get.Length != ipc.SizeUnknown || p.found != nil {
			return errors.New("an object beyond a limit that the job does not have")
		}
		return nil
	}
	if err := p.checkFound(&g.Object, g.Chosen); err != nil {
		return err
	}
	if f := p.found; f != nil && (f.Object.Size != g.Object.Size || !same(f.Chosen, g.Chosen)) {
		return errors.New("an object that is not the one it had told of")
	}
	length, sum := get.Length, get.Checksum
	if length == ipc.SizeUnknown {
		length = g.Object.Size
	}
	if g.Chosen != nil {
		sum = g.Chosen.Algorithm
	}
	if g.Written != length {
		return fmt.Errorf("%d bytes written of a range of %d", g.Written, length)
	}
	if g.Direct < 0 || g.Direct > g.Written || g.Direct > 0 && get.Align == 0 {
		return fmt.Errorf("%d bytes of %d written past the page cache", g.Direct, g.Written)
	}
	if err := checkAlso(get.Also, g.Also, true); err != nil {
		return err
	}
	return checkDigest(sum, g.Digest)
}

func same(a, b *checksum.Stored) bool { return a == b || a != nil && b != nil && *a == *b }

func (p *pending) checkParts(r *ipc.PartsResult) error {
	switch l := r.Layout; {
	case !l.Fits(p.job.Parts.Size), l.Known() && len(r.Parts) != l.Count():
		return errors.New("parts that do not make up the object")
	}
	return checkPartSums(r.Parts)
}

func checkPartSums(parts []proof.PartSum) error {
	for _, part := range parts {
		if part.Algorithm != "" && !part.Algorithm.Known() {
			return fmt.Errorf("an unknown checksum, %.20q", part.Algorithm)
		}
	}
	return nil
}
