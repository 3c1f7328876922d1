package s3test

import (
	"fmt"
	"strings"
	"testing"
)

func TestRange(t *testing.T) {
	s := start(t)
	const data = "0123456789"
	s.Put("b", "k", []byte(data))
	s.Put("b", "empty", nil)
	for _, c := range []struct {
		key, header  string
		status       int
		contentRange string
		body         string
	}{
		{"k", "bytes=0-0", 206, "bytes 0-0/10", "0"},
		{"k", "bytes=2-4", 206, "bytes 2-4/10", "234"},
		{"k", "bytes=8-99", 206, "bytes 8-9/10", "89"},
		{"k", "bytes=0-9223372036854775807", 206, "bytes 0-9/10", data},
		{"k", "bytes=7-", 206, "bytes 7-9/10", "789"},
		{"k", "bytes=-3", 206, "bytes 7-9/10", "789"},
		{"k", "bytes=-99", 206, "bytes 0-9/10", data},
		{"k", "bytes=-0", 416, "bytes */10", ""},
		{"k", "bytes=10-", 416, "bytes */10", ""},
		{"k", "bytes=10-12", 416, "bytes */10", ""},
		{"k", "bytes=4-2", 200, "", data},
		{"k", "bytes=0-1,3-4", 200, "", data},
		{"k", "bytes=a-b", 200, "", data},
		{"k", "bytes=-", 200, "", data},
		{"k", "bytes=+1-2", 200, "", data},
		{"k", "lines=1-2", 200, "", data},
		{"empty", "bytes=0-0", 416, "bytes */0", ""},
		{"empty", "bytes=0-", 416, "bytes */0", ""},
		{"empty", "bytes=-1", 416, "bytes */0", ""},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			t.Run(fmt.Sprintf("%s %s %s", method, c.key, c.header), func(t *testing.T) {
				resp, body := send(t, s, method, "/b/"+c.key, "Range", c.header, "X-Amz-Checksum-Mode", "ENABLED")
				if resp.StatusCode != c.status || resp.Header.Get("Content-Range") != c.contentRange {
					t.Fatalf("got %d %q, want %d %q", resp.StatusCode, resp.Header.Get("Content-Range"), c.status, c.contentRange)
				}
				switch {
				case c.status == 416:
					if method == "GET" && !strings.Contains(string(body), "<Code>InvalidRange</Code>") {
						t.Errorf("got body %q", body)
					}
					return
				case method == "GET" && string(body) != c.body:
					t.Errorf("got body %q, want %q", body, c.body)
				}
				if resp.ContentLength != int64(len(c.body)) {
					t.Errorf("got Content-Length %d, want %d", resp.ContentLength, len(c.body))
				}
				if got := resp.Header.Get("X-Amz-Checksum-Crc64nvme") != ""; got != (c.status == 200) {
					t.Errorf("got a checksum: %v", got)
				}
			})
		}
	}
}

func TestShift(t *testing.T) {
	for _, c := range []struct {
		r    span
		d    int64
		want span
	}{
		{span{0, 4}, 3, span{3, 4}},
		{span{4, 4}, -3, span{1, 4}},
		{span{6, 4}, 3, span{3, 4}},
		{span{0, 4}, -3, span{3, 4}},
		{span{1, 8}, 5, span{2, 8}},
		{span{0, 10}, 5, span{0, 10}},
	} {
		if got := c.r.shift(c.d, 10); got != c.want {
			t.Errorf("%v.shift(%d): got %v, want %v", c.r, c.d, got, c.want)
		}
	}
}
