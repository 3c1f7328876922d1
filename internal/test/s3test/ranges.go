package s3test

import (
	"strconv"
	"strings"
)

// span is a range of n bytes at offset off.
type span struct{ off, n int64 }

// parseRange parses a Range header as S3 does. ok is false if S3 ignores the header (several
// ranges, another unit, invalid syntax) and sends the whole object.
func parseRange(header string, size int64) (r span, ok bool, err *apiError) {
	spec, found := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !found || !dash || strings.Contains(spec, ",") {
		return span{}, false, nil
	}
	if first == "" { // the last n bytes
		n, valid := parseOffset(last)
		if !valid {
			return span{}, false, nil
		}
		if n == 0 || size == 0 {
			return span{}, true, errBadRange
		}
		n = min(n, size)
		return span{size - n, n}, true, nil
	}
	from, valid := parseOffset(first)
	if !valid {
		return span{}, false, nil
	}
	to := size - 1
	if last != "" {
		if to, valid = parseOffset(last); !valid || to < from {
			return span{}, false, nil
		}
		to = min(to, size-1)
	}
	if from >= size {
		return span{}, true, errBadRange
	}
	return span{from, to - from + 1}, true, nil
}

func parseOffset(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// contentRange returns the Content-Range of r in an object of size bytes.
func (r span) contentRange(size int64) string {
	return "bytes " + strconv.FormatInt(r.off, 10) + "-" + strconv.FormatInt(r.off+r.n-1, 10) +
		"/" + strconv.FormatInt(size, 10)
}

// shift moves r by d bytes. It moves r in the other direction if r would leave the object, and by
// fewer bytes if r would leave it there, too.
func (r span) shift(d, size int64) span {
	if to := r.off + d; to >= 0 && to+r.n <= size {
		return span{to, r.n}
	}
	if to := r.off - d; to >= 0 && to+r.n <= size {
		return span{to, r.n}
	}
	return span{min(max(r.off+d, 0), size-r.n), r.n}
}
