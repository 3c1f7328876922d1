package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/s3processpool/processpool"
)

// view shows the progress and the results.
type view interface {
	// whole sets the function that returns the total progress. The view may call it at any time and
	// from any goroutine until close returns. whole may be called concurrently with begin and end.
	whole(read func() (done, total int64))
	begin(*processpool.Future)   // a download was queued
	end(*processpool.Future)     // a download has ended; canceled ones are not shown
	trouble(problem)             // a problem that concerns no single object
	close(*tally, time.Duration) // all downloads have ended
}

// problem is an error in a form for the user.
type problem struct {
	object     string // s3://bucket/key, or another subject
	what, todo string
}

func problemOf(f *processpool.Future) problem {
	what, todo := advise(f.Result())
	return problem{source{bucket: f.Meta().Bucket, key: f.Meta().Key}.String(), what, todo}
}

func (p problem) String() string {
	s := fmt.Sprintf("s3get: %s: %s\n", printable(p.object), printable(p.what))
	if p.todo != "" {
		s += fmt.Sprintf("       To do: %s.\n", p.todo)
	}
	return s
}

func isCanceled(f *processpool.Future) bool { return errors.Is(f.Result(), processpool.ErrCanceled) }

// lines is the view that prints one line for each object.
type lines struct {
	stdout, stderr io.Writer
	quiet          bool
}

func (l *lines) whole(func() (done, total int64)) {}
func (l *lines) begin(*processpool.Future)        {}

func (l *lines) end(f *processpool.Future) {
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
	return fmt.Sprintf("%s -> %s (%s, %s)", printable(source{bucket: m.Bucket, key: m.Key}.String()), printable(m.Filename), human(f.Object().Size), proof)
}

// printable quotes s if it has characters that are not printable. A key may contain any character,
// including the control sequences of terminals.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.QuoteToGraphic(s)
	}
	return s
}

func (l *lines) trouble(p problem) { fmt.Fprint(l.stderr, p) }

func (l *lines) close(t *tally, took time.Duration) {
	if !l.quiet {
		fmt.Fprintln(l.stdout, t.sentence(took))
	}
}
