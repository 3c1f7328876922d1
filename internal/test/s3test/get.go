package s3test

import (
	"net/http"
	"strconv"
	"strings"
)

// object answers HeadObject and GetObject.
func (x *exchange) object() {
	h := x.w.Header()
	o, versioned, e := x.s.store.find(x.req.Bucket, x.req.Key, x.req.VersionID)
	if o != nil && versioned {
		h.Set("X-Amz-Version-Id", o.version())
	}
	if o != nil && o.deleteMarker {
		h.Set("X-Amz-Delete-Marker", "true")
	}
	if e == nil {
		e = x.customerKey(o)
	}
	if e == nil && !x.fault.IgnoreIfMatch && !ifMatch(x.req.IfMatch, o.ETag) {
		e = errPrecondition
	}
	if e == nil && o.archived() && x.req.Method == http.MethodGet {
		e = errArchived
	}
	if e != nil {
		x.fail(e)
		return
	}

	sel, e := x.selectRange(o)
	if e != nil {
		if e == errBadRange {
			h.Set("Content-Range", "bytes */"+strconv.FormatInt(o.Size, 10))
		}
		x.fail(e)
		return
	}
	if o.ETag != "" {
		h.Set("ETag", o.ETag)
	}
	h.Set("Last-Modified", o.LastModified.UTC().Format(http.TimeFormat))
	if none := x.req.Header.Get("If-None-Match"); none != "" && ifMatch(none, o.ETag) {
		x.answer(http.StatusNotModified, nil, span{})
		return
	}
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Type", o.ContentType)
	if o.StorageClass != "" {
		h.Set("X-Amz-Storage-Class", o.StorageClass)
	}
	for name, value := range o.Header {
		h.Set(name, value)
	}
	if len(sel.checksums) > 0 && !x.s.opts.ETagOnly &&
		strings.EqualFold(x.req.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") {
		for alg, value := range sel.checksums {
			h.Set("X-Amz-Checksum-"+alg, value)
		}
		h.Set("X-Amz-Checksum-Type", o.ChecksumType)
	}
	if sel.parts > 0 {
		h.Set("X-Amz-Mp-Parts-Count", strconv.Itoa(sel.parts))
	}
	body := sel.span
	if sel.status == http.StatusPartialContent {
		body = x.bend(sel.span, o.Size)
	}
	if x.req.Method == http.MethodGet {
		body.n += int64(x.fault.ExtraBytes)
	}
	x.answer(sel.status, o.content, body)
}

// bend sets the Content-Range for the requested span and returns the span to send, both as modified
// by the fault.
func (x *exchange) bend(asked span, size int64) span {
	f, sent := x.fault, asked
	if f.ShortBody > 0 {
		sent.n = min(sent.n, f.ShortBody)
	}
	if f.ShiftRange != 0 {
		sent = sent.shift(f.ShiftRange, size)
	}
	told := sent
	if f.LieRange {
		told.off = asked.off
	}
	x.w.Header().Set("Content-Range", told.contentRange(size))
	return sent
}

// selection is the part of an object that a request selects.
type selection struct {
	span
	status    int
	parts     int               // value of x-amz-mp-parts-count, 0: none
	checksums map[string]string // the checksums of the span
}

func (x *exchange) selectRange(o *Object) (selection, *apiError) {
	rng, part := x.req.Range, x.req.PartNumber
	whole := selection{span: span{0, o.Size}, status: http.StatusOK, checksums: o.Checksums}
	if x.fault.IgnoreRange {
		return whole, nil
	}
	if rng != "" && part != "" {
		return selection{}, errInvalidRequest.with("Cannot specify both Range header and partNumber query parameter")
	}
	if part != "" {
		return selectPart(o, part)
	}
	if rng != "" {
		r, ok, e := parseRange(rng, o.Size)
		if e != nil {
			return selection{}, e
		}
		if ok {
			return selection{span: r, status: http.StatusPartialContent}, nil
		}
	}
	return whole, nil
}

func selectPart(o *Object, number string) (selection, *apiError) {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > 10000 {
		return selection{}, errInvalidArg.with("Part number must be an integer between 1 and 10000, inclusive")
	}
	off, size, ok := o.part(n)
	if !ok {
		return selection{}, errBadPart
	}
	sel := selection{
		span:      span{off, size},
		status:    http.StatusPartialContent,
		parts:     len(o.Parts),
		checksums: o.partChecksums(n),
	}
	if size == 0 { // a Content-Range cannot express an empty range
		sel.status = http.StatusOK
	}
	return sel, nil
}

// ifMatch reports whether an If-Match header matches etag. Only quoted ETags match.
func ifMatch(header, etag string) bool {
	if header == "" || header == "*" {
		return true
	}
	for one := range strings.SplitSeq(header, ",") {
		if etag != "" && strings.TrimSpace(one) == etag {
			return true
		}
	}
	return false
}
