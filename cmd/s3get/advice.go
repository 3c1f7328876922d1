package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/s3processpool/processpool"
)

// advice is a row of the table of errors. A row applies to an error that meets one of its
// conditions: codes, statuses, is or text.
type advice struct {
	codes    []string   // of S3; the first is also the code of an error that is not S3's
	statuses []int      // of an answer whose code is in no row
	is       error      // a cause, as of errors.Is
	text     string     // part of the error's text
	only     *condition // another condition that the error must meet; nil: none

	what string // "": the error's own text
	todo string
}

// unknown is the code of an error without a row and without a code of S3's.
const unknown = "Unknown"

// condition is a function with a name for the table in README.md.
type condition struct {
	name  string
	holds func(*cause) bool
}

var (
	listing   = &condition{"of a listing", func(c *cause) bool { return c.op == processpool.OpList }}
	elsewhere = &condition{"that names the region", func(c *cause) bool { return c.region != "" }}
	ofFile    = &condition{"", func(c *cause) bool {
		var errno syscall.Errno
		var path *fs.PathError
		return errors.As(c.err, &errno) && errors.As(c.err, &path)
	}}
)

func (a *advice) applies(c *cause) bool {
	switch {
	case a.only != nil && !a.only.holds(c):
		return false
	case a.is != nil:
		return errors.Is(c.err, a.is)
	case a.text != "":
		return strings.Contains(c.err.Error(), a.text)
	case slices.Contains(a.codes, c.code):
		return true
	}
	return slices.Contains(a.statuses, c.status) && !known(c.code)
}

// known reports whether a code of S3's has a row of its own.
func known(code string) bool {
	return slices.ContainsFunc(advices, func(a advice) bool { return slices.Contains(a.codes, code) })
}

// advise describes an error and what the user can do about it.
func advise(err error) problem {
	c := causeOf(err)
	p := problem{cause: c, what: c.last(), code: c.code}
	if p.code == "" {
		p.code = unknown
	}
	i := slices.IndexFunc(advices, func(a advice) bool { return a.applies(&c) })
	if i < 0 {
		return p
	}
	a := &advices[i]
	p.todo = a.todo
	if c.code == "" || a.is != nil {
		p.code = a.codes[0]
	}
	switch {
	case a.what == "":
	case c.code == "" && c.status == 0, a.is != nil:
		p.what = a.what
	case c.code != "" && !slices.Contains(a.codes, c.code): // by its status: the server's words tell more
	default:
		p.what = a.what
		if c.code == "AccessDenied" && c.message != "" && !strings.EqualFold(c.message, "Access Denied") {
			p.what += ": " + c.message // AWS names the user, the permission and the policy
		}
		p.what += " (" + c.details() + ")"
	}
	if p.todo == setRegion && c.region != "" {
		p.todo = "add --region " + c.region
	}
	return p
}

// details returns the status, the code and the request id, which the support of the server needs.
func (c *cause) details() string {
	s := c.code
	if c.status != 0 {
		s = strings.TrimSpace(fmt.Sprintf("%d %s", c.status, c.code))
	}
	if c.requestID != "" {
		s += ", request " + c.requestID
	}
	return s
}
