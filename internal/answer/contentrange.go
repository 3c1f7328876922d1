package answer

import (
	"math"
	"strconv"
	"strings"

	"github.com/s3processpool/processpool/internal/ipc"
)

// Range is the Content-Range of a 206: the offsets of its first and its last byte, and the size of
// the object. Total is ipc.SizeUnknown for "*".
type Range struct{ First, Last, Total int64 }

// parseContentRange parses "bytes first-last/total" (RFC 9110, 14.4).
func parseContentRange(s string) (Range, error) {
	bad := untrusted("Content-Range is %q", s)
	rest, ok := cutUnit(s)
	if !ok {
		return Range{}, bad
	}
	span, total, ok := strings.Cut(rest, "/")
	if !ok {
		return Range{}, bad
	}
	first, last, ok := strings.Cut(span, "-")
	if !ok {
		return Range{}, bad
	}
	r := Range{Total: ipc.SizeUnknown}
	var err error
	if r.First, err = parseDigits(first); err != nil {
		return Range{}, bad
	}
	if r.Last, err = parseDigits(last); err != nil || r.Last < r.First || r.Last == math.MaxInt64 {
		return Range{}, bad
	}
	if total != "*" {
		if r.Total, err = parseDigits(total); err != nil || r.Last >= r.Total {
			return Range{}, bad
		}
	}
	return r, nil
}

// parseUnsatisfied parses "bytes */total", the Content-Range of a 416 (RFC 9110, 14.4).
func parseUnsatisfied(s string) (total int64, ok bool) {
	rest, ok := cutUnit(s)
	if !ok {
		return 0, false
	}
	digits, ok := strings.CutPrefix(rest, "*/")
	if !ok {
		return 0, false
	}
	total, err := parseDigits(digits)
	return total, err == nil
}

func cutUnit(s string) (rest string, ok bool) {
	unit, rest, ok := strings.Cut(s, " ")
	return rest, ok && strings.EqualFold(unit, "bytes")
}

// parseDigits parses a number of digits only: no sign, no space.
func parseDigits(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err
}
