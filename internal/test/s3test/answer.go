package s3test

import (
	"bytes"
	"encoding/xml"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// buffers holds buffers of 1 MiB for bodies and digests.
var buffers = sync.Pool{New: func() any { b := make([]byte, 1<<20); return &b }}

// fail sends an S3 error. The response to a HEAD request is the status only.
func (x *exchange) fail(e *apiError) {
	body := errorXML{
		Code: e.code, Message: e.message, Resource: x.r.URL.EscapedPath(),
		RequestID: x.requestID(), HostID: x.hostID(),
	}
	switch e.code {
	case "NoSuchBucket", "PermanentRedirect":
		body.BucketName = x.req.Bucket
	case "NoSuchKey", "NoSuchVersion":
		body.Key = x.req.Key
	}
	x.xml(e.status, body)
}

// xml sends v as XML. It panics if v cannot be marshaled.
func (x *exchange) xml(status int, v any) {
	data, err := xml.Marshal(v)
	if err != nil {
		panic("s3test: " + err.Error())
	}
	data = append([]byte(xml.Header), data...)
	x.w.Header().Set("Content-Type", "application/xml")
	x.answer(status, bytes.NewReader(data), span{0, int64(len(data))})
}

// answer sends the headers that are set, and the span body of content, as modified by the fault. As
// on S3, an error response to HEAD has no Content-Length.
func (x *exchange) answer(status int, content io.ReaderAt, body span) {
	f, h, head := x.fault, x.w.Header(), x.req.Method == http.MethodHead
	if status != http.StatusNotModified && !(head && status >= 300) {
		h.Set("Content-Length", strconv.FormatInt(body.n, 10))
	}
	f.header(h)
	if f.Status >= 200 && f.Status < 300 {
		status = f.Status
	}
	length := h.Get("Content-Length")
	if n, err := strconv.ParseInt(length, 10, 64); err == nil {
		body.n = min(body.n, n) // net/http refuses to write more than Content-Length
	}
	if head || content == nil {
		body.n = 0
	}
	if body.n == 0 && !f.Cut {
		x.end() // net/http writes the headers after the handler returns
	}
	x.w.WriteHeader(status)
	if length == "" && body.n > 0 {
		http.NewResponseController(x.w).Flush() // prevents net/http from adding a Content-Length
	}
	x.body(content, body)
}

// body writes the body, as modified by the fault.
func (x *exchange) body(content io.ReaderAt, body span) {
	f, limit := x.fault, body.n
	piece := int64(1 << 20)
	if f.TrickleBytes > 0 {
		piece = min(piece, int64(f.TrickleBytes))
	} else if f.Trickle > 0 {
		piece = 1 << 10
	}
	stall := f.Stall && f.StallAfter < limit
	if stall {
		limit = f.StallAfter
	}
	if f.Cut && f.CutAfter <= limit {
		limit, stall = f.CutAfter, false
	}

	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	rc := http.NewResponseController(x.w)
	for sent := int64(0); sent < limit; {
		p := (*buf)[:min(piece, limit-sent)]
		off := body.off + sent
		n, _ := content.ReadAt(p, off)
		if n < len(p) && f.ExtraBytes == 0 {
			panic(http.ErrAbortHandler) // the content given to PutContent is too short
		}
		clear(p[n:])
		if i := f.FlipAt - off; f.Flip && i >= 0 && i < int64(len(p)) {
			p[i] ^= 1
		}
		sent += int64(len(p))
		if sent == limit && !stall {
			x.end()
		}
		if _, err := x.w.Write(p); err != nil {
			return
		}
		if f.Trickle > 0 && sent < limit {
			rc.Flush()
			wait(x, time.After(f.Trickle))
		}
	}
	switch {
	case stall:
		rc.Flush()
		wait[struct{}](x, nil)
	case f.Cut:
		rc.Flush()
		x.end()
		cut(x.w, f.Reset)
	}
}

// cut closes the connection during a response: with FIN, or with RST if reset is true.
func cut(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if !reset {
		conn.Close()
		return
	}
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn() // send no TLS alert before the RST
	}
	if t, ok := conn.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	conn.Close()
}
