package hostile_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// A hostile server writes the bytes of its answers itself. What it can cost is in docs/security.md.
type badServer struct {
	listener net.Listener
	answer   func(w io.Writer, r *http.Request) error // an error ends the connection
	requests atomic.Int64
}

func startHostile(t *testing.T, answer func(w io.Writer, r *http.Request) error) *badServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &badServer{listener: listener, answer: answer}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go h.serve(conn)
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-ended
	})
	return h
}

func (h *badServer) serve(conn net.Conn) {
	defer conn.Close()
	for r := bufio.NewReader(conn); ; {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		h.requests.Add(1)
		w := bufio.NewWriterSize(conn, 64<<10)
		if err := h.answer(w, request); err != nil || w.Flush() != nil {
			return
		}
	}
}

// newHostileDownloader returns a Downloader with one worker for the server, which makes two attempts.
func newHostileDownloader(t *testing.T, h *badServer, optFns ...func(*processpool.Config)) *processpool.Downloader {
	t.Helper()
	origin := harness.StartOrigin(t)
	cfg := origin.Config()
	cfg.BaseEndpoint = aws.String("http://" + h.listener.Addr().String())
	harness.Hurry(t, 1000)
	return harness.NewDownloaderOf(t, origin, cfg, append([]func(*processpool.Config){harness.Processes(1), harness.Quickly}, optFns...)...)
}

// endless writes text until the other side has enough.
func endless(w io.Writer, text string) error {
	text = strings.Repeat(text, 1+(32<<10)/len(text))
	for {
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
}

// endlessly returns an answer to requests that is: it begins with start, and goes on with text.
func endlessly(is func(r *http.Request) bool, start, text string) func(io.Writer, *http.Request) error {
	return func(w io.Writer, r *http.Request) error {
		if !is(r) {
			return honestAnswer(w, r)
		}
		io.WriteString(w, start)
		return endless(w, text)
	}
}

const (
	hostileETag = `"0123456789abcdef0123456789abcdef-2"`
	hostileBody = "0123456789"
)

// honestAnswer answers with an object of two parts that does not verify, and refuses what is optional.
func honestAnswer(w io.Writer, r *http.Request) (err error) {
	switch {
	case r.URL.Query().Has("attributes"), r.URL.Query().Has("partNumber"), r.URL.Query().Has("list-type"):
		_, err = io.WriteString(w, "HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n")
	case r.Method == "HEAD":
		_, err = io.WriteString(w, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: "+hostileETag+"\r\n\r\n")
	case r.Header.Get("Range") != "":
		var first, last int
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last)
		_, err = fmt.Fprintf(w, "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %d-%d/10\r\nContent-Length: %d\r\nETag: %s\r\n\r\n%s",
			first, last, last-first+1, hostileETag, hostileBody[first:last+1])
	default:
		_, err = io.WriteString(w, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: "+hostileETag+"\r\n\r\n"+hostileBody)
	}
	return err
}

func isHead(r *http.Request) bool       { return r.Method == "HEAD" }
func isGet(r *http.Request) bool        { return r.Method == "GET" && !isList(r) && !isAttributes(r) }
func isList(r *http.Request) bool       { return r.URL.Query().Has("list-type") }
func isAttributes(r *http.Request) bool { return r.URL.Query().Has("attributes") }

// peak returns the most memory that the only worker has had, in MiB.
func peak(t *testing.T) int {
	t.Helper()
	children := harness.Children(t, os.Getpid())
	if len(children) != 1 {
		t.Fatalf("got processes %v, want one worker", children)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", children[0]))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return kib >> 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// The largest page that is accepted, and the worst of those whose shape is not looked at, cost a
// worker a bounded amount of memory.
func TestHostilePages(t *testing.T) {
	if harness.Raced {
		t.Skip("the race detector takes several times the memory and the time")
	}
	entry := "<Contents><Key>" + strings.Repeat("k", 200) + "%06d</Key><Size>1</Size><ETag>e</ETag></Contents>"
	for _, c := range []struct {
		name, entry string
		count       int
		limit       int // MiB
	}{
		{"the largest", entry, 63 << 20 / (len(entry) + 2), 500},
		{"the most entries", "<Contents><Key>%06d</Key><Size>1</Size></Contents>", 249_000, 300},
		{"small, of empty entries", "<Contents/>", 1 << 20 / 12, 96},
		{"small and nested", "<a>", 1 << 20 / 4, 96},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			h := startHostile(t, func(w io.Writer, r *http.Request) error {
				io.WriteString(w, "HTTP/1.1 200 OK\r\n\r\n<ListBucketResult><IsTruncated>false</IsTruncated>")
				for i := range c.count {
					if strings.Contains(c.entry, "%") {
						fmt.Fprintf(w, c.entry, i)
					} else {
						io.WriteString(w, c.entry)
					}
				}
				io.WriteString(w, "</ListBucketResult>")
				w.(*bufio.Writer).Flush()
				return io.EOF
			})
			d, dir := newHostileDownloader(t, h), t.TempDir()
			listed := 0
			all := d.DownloadDirectory(t.Context(), "b", "", dir, func(o *processpool.DirectoryOptions) {
				o.Filter = func(processpool.ObjectInfo) bool { listed++; return false }
			})
			<-all.Done() // a busy machine may take long
			got := peak(t)
			t.Logf("%d MiB, %d entries, %.100v", got, listed, all.Result())
			if got > c.limit {
				t.Errorf("got %d MiB in the worker, want %d at most", got, c.limit)
			}
			if all.Result() == nil && listed != c.count {
				t.Errorf("got %d entries, want %d", listed, c.count)
			}
		})
	}
}

// An answer without end costs a worker a bounded amount of memory, and ends.
func TestHostileAnswersWithoutEnd(t *testing.T) {
	const (
		ok       = "HTTP/1.1 200 OK\r\n"
		listed   = ok + "\r\n<ListBucketResult><IsTruncated>false</IsTruncated>"
		contents = "<Contents><Key>k</Key><Size>1</Size></Contents>"
		parts    = ok + "\r\n<GetObjectAttributesResponse><ObjectParts>"
	)
	small, page := 96, 200 // MiB
	for _, c := range []struct {
		name        string
		is          func(*http.Request) bool
		start, text string
		limit       int
	}{
		{"error", isGet, "HTTP/1.1 403 Forbidden\r\n\r\n<Error><Code>C</Code><Message>", "x", small},
		{"nested error", isGet, "HTTP/1.1 403 Forbidden\r\n\r\n", "<a>", small},
		{"error without XML", isGet, "HTTP/1.1 500 X\r\n\r\n", "x", small},
		{"status 200 with an error", isGet, ok + "\r\n<Error><Message>", "x", small},
		{"headers", isHead, ok + "X: y\r\n", "X: y\r\n", small},
		{"long header", isHead, ok + "X: ", "y", small},
		{"long status", isHead, "HTTP/1.1 200 ", "y", small},
		{"1xx", isHead, "HTTP/1.1 102 Processing\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n", small},
		{"long 1xx", isHead, "HTTP/1.1 103 Early Hints\r\nLink: ", "y", small},
		{"body after HEAD", isHead, ok + "Content-Length: 10\r\nETag: " + hostileETag + "\r\n\r\n", "y", small},
		{"trailer", isGet, ok + "ETag: " + hostileETag + "\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\na\r\n0123456789\r\n0\r\nX: y", "y", small},
		{"trailers", isGet, ok + "ETag: " + hostileETag + "\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n", "X: y\r\n", small},
		{"chunk extension", isGet, ok + "ETag: " + hostileETag + "\r\nTransfer-Encoding: chunked\r\n\r\na;", "y", small},
		{"body", isGet, ok + "ETag: " + hostileETag + "\r\n\r\n", "y", small},
		{"attributes", isAttributes, parts, "<Part/>", 2 * small},
		{"nested attributes", isAttributes, parts, "<a>", 2 * small},
		{"text in attributes", isAttributes, parts, "y", small},
		{"listing", isList, listed, contents, page},
		{"empty entries", isList, listed, "<Contents/>", page},
		{"entries in capitals", isList, listed, "<CONTENTS/>", page},
		{"prefixes", isList, listed, "<CommonPrefixes/>", page},
		{"long key", isList, listed + "<Contents><Key>", "k", page},
		{"nested listing", isList, listed, "<a>", page},
		{"before the root", isList, ok + "\r\n<!--", "x", page},
		{"declarations", isList, ok + "\r\n", "<?x?>", page},
	} {
		t.Run(c.name, func(t *testing.T) {
			if harness.Raced && c.limit == page {
				t.Skip("the race detector takes several times the memory and the time")
			}
			leak.Check(t)
			h := startHostile(t, endlessly(c.is, c.start, c.text))
			d, dir := newHostileDownloader(t, h), t.TempDir()
			if err := d.Start(); err != nil {
				t.Fatal(err)
			}
			var err error
			if c.limit == page {
				err = d.DownloadDirectory(t.Context(), "b", "", dir).Result() // a busy machine may take long
			} else {
				err = harness.Download(t, d, "k", filepath.Join(dir, "file"))
			}
			got := peak(t)
			t.Logf("%d requests, %d MiB: %.200v", h.requests.Load(), got, err)
			if got > c.limit && !harness.Raced {
				t.Errorf("got %d MiB in the worker, want %d at most", got, c.limit)
			}
			if n := h.requests.Load(); n > 40 {
				t.Errorf("got %d requests", n)
			}
			if err == nil {
				leak.Files(t, dir, "file")
			} else {
				leak.Files(t, dir)
			}
		})
	}
}
