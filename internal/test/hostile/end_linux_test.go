package hostile_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// respond writes an answer with a Content-Length.
func respond(w io.Writer, status, header, body string) error {
	if header != "" {
		header += "\r\n"
	}
	_, err := fmt.Fprintf(w, "HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s", status, header, len(body), body)
	return err
}

// What a server can have asked of it without an end, has one: the number of requests is bounded, and
// so is the memory of the application.
func TestHostileRequestsWithoutEnd(t *testing.T) {
	partsCount := func(count string) func(io.Writer, *http.Request) error {
		return func(w io.Writer, r *http.Request) error {
			if r.URL.Query().Has("partNumber") {
				_, err := fmt.Fprintf(w, "HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\nETag: %s\r\nx-amz-mp-parts-count: %s\r\n\r\n",
					hostileETag, count)
				return err
			}
			return honestAnswer(w, r)
		}
	}
	// Two parts at first, so that the bytes are compared, and then others.
	otherParts := func(size, count int) func(io.Writer, *http.Request) error {
		var asked atomic.Bool
		return func(w io.Writer, r *http.Request) error {
			if !r.URL.Query().Has("partNumber") {
				return honestAnswer(w, r)
			}
			size, count := size, count
			if !asked.Swap(true) {
				size, count = 5, 2
			}
			_, err := fmt.Fprintf(w, "HTTP/1.1 206 Partial Content\r\nContent-Length: %d\r\nETag: %s\r\nx-amz-mp-parts-count: %d\r\n\r\n",
				size, hostileETag, count)
			return err
		}
	}
	attributes := func(step int) func(io.Writer, *http.Request) error {
		return func(w io.Writer, r *http.Request) error {
			if !isAttributes(r) {
				return honestAnswer(w, r)
			}
			var marker int
			fmt.Sscan(r.Header.Get("X-Amz-Part-Number-Marker"), &marker)
			var parts strings.Builder
			for range step {
				marker++
				fmt.Fprintf(&parts, "<Part><PartNumber>%d</PartNumber><Size>0</Size></Part>", marker)
			}
			return respond(w, "200 OK", "", fmt.Sprintf("<GetObjectAttributesResponse><ETag>%s</ETag><ObjectParts><IsTruncated>true</IsTruncated>"+
				"<NextPartNumberMarker>%d</NextPartNumberMarker>%s</ObjectParts></GetObjectAttributesResponse>",
				strings.Trim(hostileETag, `"`), marker, &parts))
		}
	}
	page := func(token, entry string) string {
		return "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>" + token + "</NextContinuationToken>" + entry + "</ListBucketResult>"
	}
	tokens := func(next map[string]string) func(io.Writer, *http.Request) error {
		return func(w io.Writer, r *http.Request) error {
			return respond(w, "200 OK", "", page(next[r.URL.Query().Get("continuation-token")], ""))
		}
	}
	region := func(status string) func(io.Writer, *http.Request) error {
		var n atomic.Int64
		return func(w io.Writer, r *http.Request) error {
			return respond(w, status, fmt.Sprintf("Location: http://127.0.0.1:1/\r\nX-Amz-Bucket-Region: region-%d", n.Add(1)), "")
		}
	}
	for _, c := range []struct {
		name   string
		answer func(io.Writer, *http.Request) error
		list   bool
		most   int64 // requests
	}{
		// The second look at an object that does not verify comes with them.
		{"parts count of 2147483647", partsCount("2147483647"), false, 10},
		{"parts count of 10000", partsCount("10000"), false, 10},
		{"parts count below zero", partsCount("-1"), false, 10},
		{"parts count that fits", partsCount("10"), false, 20},
		{"more parts at the second look", otherParts(1, 10_000), false, 20},
		{"parts without bytes at the second look", otherParts(0, 10_000), false, 20},
		{"larger parts at the second look", otherParts(5, 10), false, 20},
		{"one part in each page", attributes(1), false, 30},
		{"1000 parts in each page", attributes(1000), false, 30},
		{"tokens A, B, A, B", tokens(map[string]string{"": "A", "A": "B", "B": "A"}), true, 10},
		{"tokens A, B, C, B", tokens(map[string]string{"": "A", "A": "B", "B": "C", "C": "B"}), true, 10},
		{"redirects to other regions", region("301 Moved Permanently"), false, 10},
		{"redirects of a listing", region("307 Temporary Redirect"), true, 10},
		{"bad requests of other regions", region("400 Bad Request"), false, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			h := startHostile(t, c.answer)
			d, dir := newHostileDownloader(t, h), t.TempDir()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var err error
			if c.list {
				err = harness.Directory(t, d, "", dir).Result()
			} else {
				err = harness.Download(t, d, "k", filepath.Join(dir, "file"))
			}
			runtime.ReadMemStats(&after)
			t.Logf("%d requests: %.200v", h.requests.Load(), err)
			if n := h.requests.Load(); n > c.most {
				t.Errorf("got %d requests, want %d at most", n, c.most)
			}
			if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 64 {
				t.Errorf("got %d MiB in the application", n)
			}
			if err == nil {
				leak.Files(t, dir, "file")
			} else {
				leak.Files(t, dir)
			}
		})
	}
}

// An object of any size is an object: what does not fit the disk is an error before a byte is
// fetched, and leaves nothing.
func TestHostileSize(t *testing.T) {
	for _, size := range []int64{1 << 62, 1<<63 - 1} {
		t.Run(fmt.Sprint("size=", size), func(t *testing.T) {
			leak.Check(t)
			h := startHostile(t, func(w io.Writer, r *http.Request) error {
				_, err := fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: %d\r\n\r\n", size)
				return err
			})
			d, dir := newHostileDownloader(t, h), t.TempDir()
			err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
			harness.WantError(t, err)
			if n := h.requests.Load(); n != 1 {
				t.Errorf("got %d requests, want one", n)
			}
			leak.Files(t, dir)
		})
	}
}

// A server may ask for a pause of any length, and gets 20 s.
func TestHostileRetryAfter(t *testing.T) {
	leak.Check(t)
	for _, header := range []string{
		"Retry-After: 99999999999999999999", "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", "X-Amz-Retry-After: 99999999999999999999",
	} {
		h := startHostile(t, func(w io.Writer, r *http.Request) error {
			return respond(w, "503 Slow Down", header, "")
		})
		d, dir := newHostileDownloader(t, h), t.TempDir()
		err := harness.Download(t, d, "k", filepath.Join(dir, "file")) // a pause is divided by 1000
		harness.WantError(t, err, processpool.ErrRetriesExceeded)
		leak.Files(t, dir)
	}
}

// A compressed answer is not unpacked.
func TestHostileCompression(t *testing.T) {
	leak.Check(t)
	h := startHostile(t, func(w io.Writer, r *http.Request) error {
		return respond(w, "200 OK", "Content-Encoding: gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")
	})
	d := newHostileDownloader(t, h)
	err := harness.Directory(t, d, "", t.TempDir()).Result()
	if err == nil || !strings.Contains(err.Error(), "not XML") {
		t.Errorf("got %v, want an error of the bytes as they are", err)
	}
}

// A page that arrives steadily may take longer than StallTimeout. One that arrives byte by byte, and
// an error that does so, have as long as StallTimeout.
func TestHostileSlowPages(t *testing.T) {
	const stall = time.Second
	slowly := func(start, piece, end string, pause time.Duration, count int) func(io.Writer, *http.Request) error {
		return func(w io.Writer, r *http.Request) error {
			io.WriteString(w, start)
			for range count {
				io.WriteString(w, piece)
				if err := w.(interface{ Flush() error }).Flush(); err != nil {
					return err
				}
				time.Sleep(pause)
			}
			io.WriteString(w, end)
			w.(interface{ Flush() error }).Flush()
			return io.EOF
		}
	}
	const begin = "HTTP/1.1 200 OK\r\n\r\n<ListBucketResult><IsTruncated>false</IsTruncated>"
	for _, c := range []struct {
		name   string
		answer func(io.Writer, *http.Request) error
		ok     bool
	}{
		{"steady page", slowly(begin, strings.Repeat(" ", 20<<10), "</ListBucketResult>", stall/10, 25), true},
		{"page byte by byte", slowly(begin, " ", "</ListBucketResult>", stall/20, 10_000), false},
		{"error byte by byte", slowly("HTTP/1.1 403 Forbidden\r\n\r\n<Error>", " ", "</Error>", stall/20, 10_000), false},
		{"header byte by byte", slowly("HTTP/1.1 200 OK\r\nX: ", "y", "", stall/20, 10_000), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := startHostile(t, c.answer)
			d, dir := newHostileDownloader(t, h, func(c *processpool.Config) { c.StallTimeout = stall }), t.TempDir()
			all := d.DownloadDirectory(t.Context(), "b", "", dir)
			harness.Wait(t, all.Done(), "the end")
			if err := all.Result(); c.ok != (err == nil) {
				t.Errorf("got %v, want success: %v", err, c.ok)
			} else if err != nil && !strings.Contains(err.Error(), processpool.ErrStalled.Error()) {
				t.Errorf("got %v, want ErrStalled", err)
			}
		})
	}
}

// A customer key is not sent where others can read it, and the log warns of a session token.
func TestPlainHTTP(t *testing.T) {
	leak.Check(t)
	var log harness.Log
	origin, dir := harness.StartOrigin(t), t.TempDir()
	proxy := startHostile(t, honestAnswer)
	t.Setenv("HTTP_PROXY", "http://"+proxy.listener.Addr().String())
	cfg := origin.Config()
	endpoint := "http://s3.example.test"
	cfg.BaseEndpoint = &endpoint
	d := harness.NewDownloaderOf(t, origin, cfg, harness.Processes(1), harness.Quickly, log.Config)
	key := func(o *processpool.DownloadOptions) {
		o.ExtraArgs.SSECustomerAlgorithm, o.ExtraArgs.SSECustomerKey = "AES256", strings.Repeat("k", 32)
	}
	name := filepath.Join(dir, "file")
	for _, options := range [][]func(*processpool.DownloadOptions){{key}, {key, harness.SkipHead}, {key, harness.Expect(10)}} {
		err := harness.Download(t, d, "k", name, options...)
		harness.WantError(t, err)
		if !strings.Contains(err.Error(), "customer key (SSE-C), which is not sent over plain HTTP") {
			t.Errorf("got %v", err)
		}
	}
	if n := proxy.requests.Load(); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	if err := harness.Download(t, d, "k", name, harness.SkipHead); err != nil {
		t.Errorf("without a key: %v", err)
	}
	if n := strings.Count(log.String(), "requests cross the network in plain HTTP"); n != 1 {
		t.Errorf("got %d warnings, want one", n)
	}
	os.Remove(name)
}
