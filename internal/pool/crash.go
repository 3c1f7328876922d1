package pool

import (
	"bytes"
	"regexp"
)

// Limits on what is kept of a crash, in bytes. Together with a tail they are about 1 KiB.
const (
	maxBefore  = 128 // of the crash before it
	maxMessage = 384
	maxFrames  = 384
)

// crash is what Go's runtime prints before it ends a process (runtime.printpanics, fatalthrow and
// sighandler): a message, and then the stack of each goroutine that GOTRACEBACK asks for.
type crash struct {
	before  []byte // the first line of another crash before this one
	message []byte
	frames  []byte // of the first goroutine
	traced  bool   // the stack has begun
	full    bool   // nothing more is kept
	end     int64  // the offset, in all of the standard error, behind the last line that was kept
}

var (
	// crashStart matches the beginning of a line with which a crash begins.
	crashStart = regexp.MustCompile(`^(panic: |fatal error: |fatal: |SIG[A-Z]+: |unexpected fault address )`)
	// crashNote matches lines that come before a crash, and inside one.
	crashNote = regexp.MustCompile(`^runtime(/cgo)?: `)
	// crashInside matches a crash behind other output without a line feed.
	crashInside = regexp.MustCompile(`(panic|fatal error): `)
	// stackStart matches the line with which a stack begins.
	stackStart = regexp.MustCompile(`^(goroutine \d+ .*\[.*\]:|runtime stack:)`)
)

// crashes finds the last crash in a standard error that it reads line by line. A program may go on
// after what looks like a crash: it has recovered from a panic and printed it.
type crashes struct {
	last  *crash // nil = none
	maybe *crash // a later one if a stack follows: its message is behind other output; nil = none
}

// line reads a line, or the beginning of a long one, that ends at the offset end.
func (c *crashes) line(text []byte, end int64) {
	at := crashInside.FindIndex(text)
	switch over := c.last == nil || c.last.full; {
	case crashStart.Match(text), crashNote.Match(text) && c.last == nil:
		c.last, c.maybe = c.begin(text, end), nil
		return
	case at != nil && over && (c.maybe == nil || text[0] != '\t'): // a tab: a second panic's message
		c.maybe = c.begin(text[at[0]:], end)
		return
	}
	if c.maybe != nil {
		c.maybe.add(text, end)
		if c.maybe.traced {
			c.last, c.maybe = c.maybe, nil
			return
		}
	}
	if c.last != nil {
		c.last.add(text, end)
	}
}

func (c *crashes) begin(text []byte, end int64) *crash {
	next := &crash{end: end}
	if c.last != nil {
		first, _, _ := bytes.Cut(c.last.message, []byte("\n"))
		next.before = cut(first, maxBefore)
	}
	next.message = cut(text, maxMessage)
	return next
}

// add adds a line to the crash, if there is room.
func (c *crash) add(text []byte, end int64) {
	if c.full {
		return
	}
	switch {
	case !c.traced && stackStart.Match(text):
		c.traced = true
		c.frames = append(c.frames, cut(text, maxFrames)...)
	case !c.traced:
		if len(c.message)+1+len(text) > maxMessage {
			return // the stack is still to come
		}
		c.message = append(append(c.message, '\n'), text...)
	case len(text) == 0, len(c.frames)+1+len(text) > maxFrames:
		c.full = true
		return
	default:
		c.frames = append(append(c.frames, '\n'), text...)
	}
	c.end = end
}

// text returns the crash: the one before it, its message and its first frames.
func (c *crash) text() string {
	var b bytes.Buffer
	if len(c.before) > 0 {
		b.Write(c.before)
		b.WriteString("\n...\n")
	}
	b.Write(bytes.TrimRight(c.message, "\n"))
	if len(c.frames) > 0 {
		b.WriteString("\n\n")
		b.Write(c.frames)
	}
	return b.String()
}
