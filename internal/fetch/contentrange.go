package fetch

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// contentRange is the Content-Range of a 206. total is ipc.SizeUnknown for "*".
type contentRange struct{ first, last, total int64 }

// parseContentRange parses "bytes first-last/total" (RFC 9110, 14.4).
func parseContentRange(s string) (contentRange, error) {
	bad := fmt.Errorf("%w: Content-Range %q", failure.ErrUnexpected, s)
	unit, rest, ok := strings.Cut(s, " ")
	if !ok || !strings.EqualFold(unit, "bytes") {
		return contentRange{}, bad
	}
	span, total, ok := strings.Cut(rest, "/")
	if !ok {
		return contentRange{}, bad
	}
	first, last, ok := strings.Cut(span, "-")
	if !ok {
		return contentRange{}, bad
	}
	r := contentRange{total: ipc.SizeUnknown}
	var err error
	if r.first, err = parseDigits(first); err != nil {
		return contentRange{}, bad
	}
	if r.last, err = parseDigits(last); err != nil || r.last < r.first {
		return contentRange{}, bad
	}
	if total != "*" {
		if r.total, err = parseDigits(total); err != nil || r.last >= r.total {
			return contentRange{}, bad
		}
	}
	return r, nil
}

// parseDigits parses a number of digits only: no sign, no space.
func parseDigits(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err
}
