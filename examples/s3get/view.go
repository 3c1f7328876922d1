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

// view shows what happens.
type view interface {
	// whole says where to read the bytes of all objects, at any time and from any
	// goroutine until close has returned. It may be called beside begin and end.
	whole(read func() (done, total int64))
	begin(*processpool.Future)   // a download is queued
	end(*processpool.Future)     // it has ended; of those canceled nobody wants to hear
	trouble(problem)             // it concerns no single object
	close(*tally, time.Duration) // all have ended
}

// problem is what an error says to a person.
type problem struct {
	object     string // s3://bucket/key, or what else it is about
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

// lines tells of each object in a line.
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

// lineOf is what a success is told in.
func lineOf(f *processpool.Future) string {
	proof := f.Object().Verified
	if proof == "" {
		proof = "not verified"
	}
	m := f.Meta()
	return fmt.Sprintf("%s -> %s (%s, %s)", printable(source{bucket: m.Bucket, key: m.Key}.String()), printable(m.Filename), human(f.Object().Size), proof)
}

// printable keeps what is in a key from the terminal's ears: a key may hold any
// character, and so any of a terminal's commands.
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
