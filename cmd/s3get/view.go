package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/tool/show"
)

// view shows the progress and the results.
type view interface {
	// whole sets the function that returns the total progress. The view may call it at any time and
	// from any goroutine until close returns. whole may be called concurrently with begin and end.
	whole(read func() status)
	begin(*job)                  // a download was queued
	end(*job)                    // a download has ended; canceled ones are not shown
	skip(j *job, reason string)  // an object is not downloaded
	plan(action string, j *job)  // what would be done; action is download or delete
	removed(file string)         // a file has no object any more, and was removed
	trouble(problem)             // a problem that concerns no single download
	close(*tally, time.Duration) // all downloads have ended
}

// problem is an error in a form for the user.
type problem struct {
	object      string // s3://bucket/key, or another subject; "": the command line
	bucket, key string // "": it concerns no object
	file        string
	what, todo  string
	code        string // of S3, or of the table of advice
	cause       cause  // what the error tells besides
}

func problemOf(f *processpool.Future) problem {
	m := f.Meta()
	p := newProblem(source{bucket: m.Bucket, key: m.Key}, f.Result())
	p.file = m.Filename
	return p
}

// newProblem returns the problem of an object, or of the objects below a prefix.
func newProblem(s source, err error) problem {
	p := advise(err)
	p.object, p.bucket, p.key = s.String(), s.bucket, s.key
	return p
}

// String returns the lines for people. What comes from outside, such as the key and the server's
// message, has no control character in them.
func (p problem) String() string {
	s := "s3get: "
	if p.object != "" {
		s += show.Printable(p.object) + ": "
	}
	s += show.Printable(p.what) + "\n"
	if p.todo != "" {
		s += fmt.Sprintf("       To do: %s.\n", show.Printable(p.todo))
	}
	return s
}

func isCanceled(f *processpool.Future) bool { return errors.Is(f.Result(), processpool.ErrCanceled) }

// lines is the view that prints one line for each object.
type lines struct {
	stdout, stderr io.Writer
	quiet          bool
	ticks          *ticks // nil: none
}

func (l *lines) begin(*job)        {}
func (l *lines) skip(*job, string) {}

func (l *lines) plan(action string, j *job) {
	if l.quiet {
		return
	}
	text := "would " + action + " "
	if action == "delete" {
		text += show.Printable(j.filename)
	} else {
		text += show.Printable(j.source.String()) + " -> " + show.Printable(j.filename)
		if j.size >= 0 {
			text += " (" + show.Human(j.size) + ")"
		}
	}
	fmt.Fprintln(l.stdout, text)
}

func (l *lines) removed(file string) {
	if !l.quiet {
		fmt.Fprintln(l.stdout, "deleted "+show.Printable(file))
	}
}

func (l *lines) end(j *job) {
	f := j.future
	switch {
	case isCanceled(f):
	case f.Result() != nil:
		l.trouble(problemOf(f))
	case !l.quiet:
		fmt.Fprintln(l.stdout, lineOf(f))
	}
}

// lineOf returns the line for a complete download.
func lineOf(f *processpool.Future) string {
	proof := f.Object().Verified
	if proof == "" {
		proof = "not verified"
	}
	m := f.Meta()
	return fmt.Sprintf("%s -> %s (%s, %s)", show.Printable(source{bucket: m.Bucket, key: m.Key}.String()), show.Printable(m.Filename), show.Human(f.Object().Size), show.Printable(proof))
}

func (l *lines) trouble(p problem) {
	if l.ticks != nil {
		l.ticks.output.Lock()
		defer l.ticks.output.Unlock()
	}
	fmt.Fprint(l.stderr, lineStart(l.stderr), p)
}

func (l *lines) close(t *tally, took time.Duration) {
	l.ticks.close()
	if !l.quiet {
		fmt.Fprintln(l.stdout, t.sentence(took))
	}
}
