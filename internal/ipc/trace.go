package ipc

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/s3processpool/processpool/internal/checksum"
)

// Describe returns one line that describes m to a person who follows the conversation of a pool and
// a worker: the kind, the job, and the fields that tell what happens. It has no times, so that two
// traces can be compared.
//
// It leaves out credentials and session tokens, customer keys (SSE-C), certificates, and the user
// information of an endpoint's URL. Object keys, ETags and error texts are shown.
func Describe(m Message) string {
	switch m := m.(type) {
	case *Hello:
		return fmt.Sprintf("Hello version %d pid %d", m.Version, m.PID)
	case *Setup:
		return describeSetup(m)
	case *Ready:
		return "Ready"
	case *Job:
		return describeJob(m)
	case *Cancel:
		if m.Waiting {
			return fmt.Sprintf("Cancel %d if it waits", m.ID)
		}
		return fmt.Sprintf("Cancel %d", m.ID)
	case *Found:
		return fmt.Sprintf("Found %d %s%s", m.ID, describeObject(&m.Object), chosen(m.Chosen))
	case *Progress:
		return fmt.Sprintf("Progress %d %d bytes written", m.ID, m.Written)
	case *Retry:
		return fmt.Sprintf("Retry %d attempt %d failed (%s), wait %v: %s%s",
			m.ID, m.Attempt, word(string(m.Kind)), m.Wait, strconv.Quote(m.Cause), request(m.Request))
	case *Attempt:
		return describeAttempt(m)
	case *Listed:
		return fmt.Sprintf("Listed %d %d keys", m.ID, len(m.Entries))
	case *Result:
		return describeResult(m)
	case *Ask:
		if m.RefusedKey != "" || m.RefusedToken != "" {
			return "Ask for credentials, the last were refused"
		}
		return "Ask for credentials"
	case *Credentials:
		if m.Err != "" {
			return "Credentials error " + strconv.Quote(m.Err)
		}
		line := "Credentials from " + word(m.Source)
		if m.CanExpire {
			line += ", can expire"
		}
		return line
	case *Ping:
		return "Ping"
	case *Pong:
		return "Pong"
	case *Stop:
		return "Stop"
	case *Direct:
		return fmt.Sprintf("Direct %d", m.ID)
	case *RateLimit:
		return fmt.Sprintf("RateLimit %d bytes/s", m.BytesPerSecond)
	case *Connect:
		return "Connect " + word("s3://"+m.Bucket)
	case *Handle:
		return fmt.Sprintf("Handle %d", m.Number)
	}
	return fmt.Sprintf("%T", m)
}

func describeSetup(m *Setup) string {
	s := &m.Settings
	line := fmt.Sprintf("Setup version %d region %s", m.Version, word(s.Client.Region))
	if s.Client.BaseEndpoint != nil {
		line += " endpoint " + word(withoutUser(*s.Client.BaseEndpoint))
	}
	if s.Client.Anonymous {
		line += " anonymous"
	}
	line += fmt.Sprintf(" seat %d slots %d attempts %d retry timeout %v stall timeout %v",
		s.Seat, s.Slots, s.MaxAttempts, s.RetryTimeout, s.StallTimeout)
	if len(s.CABundle) > 0 {
		line += fmt.Sprintf(" CA bundle of %d bytes", len(s.CABundle))
	}
	return line
}

// withoutUser returns the scheme and the host of an endpoint: its user information, its query and
// its path may hold secrets.
func withoutUser(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return "unreadable"
	}
	return u.Scheme + "://" + u.Host
}

func describeJob(m *Job) string {
	op := m.Op()
	if op == "" {
		return fmt.Sprintf("Job %d without one payload", m.ID)
	}
	line := fmt.Sprintf("Job %d %s %s", m.ID, op, word("s3://"+m.Bucket+"/"+m.Key))
	switch op {
	case OpHead:
		line += flag(m.Head.Layout, "with layout")
		if r := m.Head.Range; r != nil {
			line += fmt.Sprintf(" of the range %d+%d", r.Offset, r.Length)
		}
	case OpGet:
		line += describeGet(m.Get)
	case OpParts:
		line += fmt.Sprintf(" of %d bytes%s", m.Parts.Size, etag(m.Parts.ETag))
	case OpList:
		line += " prefix " + strconv.Quote(m.List.Prefix)
		line += flag(m.List.Delimiter != "", "delimiter "+strconv.Quote(m.List.Delimiter))
		line += flag(m.List.Token != "", "continued")
	case OpRead:
		line += span(m.Read.Offset, m.Read.Length)
		line += flag(m.Read.Checksum != "", word(string(m.Read.Checksum)))
		line += flag(m.Read.Record != "", "record "+word(string(m.Read.Record))) + also(m.Read.Also)
	}
	line += flag(m.Args.VersionID != "", "version "+word(m.Args.VersionID))
	line += flag(m.Args.SSECustomerKey != "", "SSE-C")
	return line
}

func describeGet(g *Get) string {
	line := flag(g.Whole, "whole") + span(g.Offset, g.Length)
	if g.Size != SizeUnknown {
		line += fmt.Sprintf(" of %d", g.Size)
	}
	line += flag(g.Base > 0, fmt.Sprintf("to %d", g.Offset-g.Base))
	line += etag(g.ETag)
	line += flag(g.Unconfirmed, "unconfirmed")
	line += flag(g.Limit > 0, fmt.Sprintf("limit %d", g.Limit))
	line += flag(g.Choose, "choose")
	line += flag(g.OneRange, "one range")
	line += flag(g.Checksum != "", word(string(g.Checksum)))
	line += flag(g.Record != "", "record "+word(string(g.Record)))
	line += flag(g.Align > 0, fmt.Sprintf("direct %d", g.Align))
	return line + also(g.Also) + flag(g.WriteBack, "write back")
}

func also(algorithms []checksum.Algorithm) (line string) {
	for _, a := range algorithms {
		line += " also " + word(string(a))
	}
	return line
}

func describeResult(m *Result) string {
	line := fmt.Sprintf("Result %d", m.ID)
	switch {
	case m.Err != nil:
		line += " error " + strconv.Quote(m.Err.Text)
	case m.Head != nil:
		line += fmt.Sprintf(" %s %s", OpHead, describeObject(&m.Head.Object))
	case m.Get != nil && m.Get.Unsuited:
		line += fmt.Sprintf(" %s unsuited", OpGet)
	case m.Get != nil:
		line += fmt.Sprintf(" %s %d bytes written%s", OpGet, m.Get.Written, chosen(m.Get.Chosen))
	case m.Parts != nil:
		line += fmt.Sprintf(" %s %d parts", OpParts, len(m.Parts.Parts))
	case m.List != nil:
		line += fmt.Sprintf(" %s %d keys", OpList, len(m.List.Entries)) + flag(m.List.Next != "", "and more")
	case m.Read != nil:
		line += fmt.Sprintf(" %s", OpRead)
	case m.Waited:
		line += " had not begun"
	}
	return line + request(m.Request)
}

func describeAttempt(m *Attempt) string {
	line := fmt.Sprintf("Attempt %d number %d %s", m.ID, m.Number, word(string(m.Op)))
	if m.Op == OpGet {
		line += span(m.Offset, m.Length)
	}
	line += fmt.Sprintf(" status %d, %d bytes", m.Status, m.Bytes) + request(m.RequestID)
	line += flag(m.RemoteAddr != "", "from "+word(m.RemoteAddr))
	if m.Err != nil {
		line += " error " + strconv.Quote(m.Err.Text)
	}
	return line
}

func describeObject(o *Object) string {
	line := fmt.Sprintf("%d bytes%s", o.Size, etag(o.ETag))
	line += flag(o.VersionID != "", "version "+word(o.VersionID))
	for _, s := range o.Stored {
		line += " stored " + word(s.String())
	}
	return line + flag(o.Encrypted, "encrypted")
}

// span describes a range as S3's Range header does.
func span(offset, length int64) string {
	if length < 0 {
		return " of unknown size"
	}
	if length == 0 {
		return " no bytes"
	}
	return fmt.Sprintf(" bytes %d-%d", offset, offset+length-1)
}

func chosen(s *checksum.Stored) string {
	if s == nil {
		return ""
	}
	return " chosen " + word(s.String())
}

func etag(tag string) string { return flag(tag != "", "etag "+word(tag)) }

func request(id string) string { return flag(id != "", "request "+word(id)) }

// flag returns text behind a space if set, else "".
func flag(set bool, text string) string {
	if !set {
		return ""
	}
	return " " + text
}

// word returns s as it is if it is one printable word, else quoted, so that a line stays one line.
func word(s string) string {
	odd := func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }
	if s == "" || strings.ContainsFunc(s, odd) {
		return strconv.Quote(s)
	}
	return s
}
