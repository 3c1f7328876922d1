package ipc

import (
	"errors"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// pipe returns both ends of a connection: the pool's and the worker's.
func pipe(t testing.TB) (a, b *Conn) {
	t.Helper()
	if !Available {
		t.Skip("no workers on this platform")
	}
	ours, theirs, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	a, b = open(t, ours), open(t, theirs)
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { self.Release() })
	a.Peer(self)
	return a, b
}

func open(t testing.TB, f End) *Conn {
	t.Helper()
	c, err := NewConn(f)
	if err != nil {
		t.Fatal(err)
	}
	// Only a test that hangs takes as long.
	c.SetReadDeadline(time.Now().Add(2 * time.Minute))
	c.SetWriteDeadline(time.Now().Add(2 * time.Minute))
	t.Cleanup(func() { c.Close() })
	return c
}

func tempFile(t testing.TB, content string) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.WriteString(content); err != nil {
		t.Fatal(err)
	}
	return f
}

func send(t testing.TB, c *Conn, m Message, f *os.File) {
	t.Helper()
	if err := c.Send(m, f); err != nil {
		t.Fatalf("send %T: %v", m, err)
	}
}

// receiveWant receives want, with a file of that content; "" = no file.
func receiveWant(t testing.TB, c *Conn, want Message, content string) {
	t.Helper()
	m, f, err := c.Receive()
	if err != nil {
		t.Fatalf("receive %T: %v", want, err)
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got %T %+v, want %+v", m, m, want)
	}
	if (f != nil) != (content != "") {
		t.Fatalf("%T: got file %v, want content %q", m, f, content)
	}
	if f != nil {
		defer f.Close()
		if got := readAll(t, f); got != content {
			t.Errorf("%T: got the file with %q, want %q", m, got, content)
		}
	}
}

// readAll reads at offset 0, because sender and receiver share the file's position.
func readAll(t testing.TB, f *os.File) string {
	t.Helper()
	p, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

func TestRoundTrip(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	f := tempFile(t, "content")
	for _, m := range messages {
		if _, ok := m.(*Handle); ok {
			continue // a part of the message behind it
		}
		if carriesFile(m) {
			send(t, a, m, f)
			receiveWant(t, b, m, "content")
		} else {
			send(t, a, m, nil)
			receiveWant(t, b, m, "")
		}
	}
	head := &Job{ID: 1, Bucket: "b", Key: "k", Head: &Head{}}
	send(t, b, head, nil)
	receiveWant(t, a, head, "")
	a.Close()
	if m, _, err := b.Receive(); err != io.EOF {
		t.Errorf("after Close: got %v, %v, want io.EOF", m, err)
	}
}

// TestHandleFromWorker: the pool refuses it, for its number would be that of a handle of the pool's
// own.
func TestHandleFromWorker(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	send(t, b, &Handle{Number: 1}, nil)
	if m, _, err := a.Receive(); err == nil || !strings.Contains(err.Error(), "Handle") {
		t.Errorf("got %v, %v", m, err)
	}
}

func TestSharedFile(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	f := tempFile(t, "")
	send(t, a, get("k"), f)
	_, theirs, err := b.Receive()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	if _, err := theirs.WriteAt([]byte("written over there"), 3); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, f); got != "\x00\x00\x00written over there" {
		t.Errorf("got %q", got)
	}
}

func TestSendFileThatIsClosed(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	f := tempFile(t, "")
	f.Close()
	var closed *FileError
	if err := a.Send(get("k"), f); !errors.As(err, &closed) {
		t.Errorf("got %v, want a FileError", err)
	}
	send(t, a, &Ping{}, nil)
	receiveWant(t, b, &Ping{}, "") // nothing went out before it
}

func TestSendWithWrongFile(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	if err := a.Send(get("k"), nil); err == nil {
		t.Error("a Job went out without its file")
	}
	for _, m := range messages {
		if !carriesFile(m) && a.Send(m, tempFile(t, "")) == nil {
			t.Errorf("a %T went out with a file", m)
		}
	}
	send(t, a, &Ping{}, nil)
	receiveWant(t, b, &Ping{}, "")
}

// TestConcurrentSend: frames of several goroutines arrive whole, each Job with its own file,
// although the socket's buffer is far smaller than all of them.
func TestConcurrentSend(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	const senders, each = 4, 100
	files := map[string]*os.File{}
	for _, name := range []string{"0", "1", "2", "3"} {
		files[name] = tempFile(t, name)
	}
	var wg sync.WaitGroup
	for name, f := range files {
		wg.Go(func() {
			for i := range each {
				job := get(name)
				job.ID, job.Bucket = uint64(i), strings.Repeat(name, 5000)
				if err := a.Send(job, f); err != nil {
					t.Errorf("send: %v", err)
				}
				if err := a.Send(&Cancel{ID: uint64(i)}, nil); err != nil {
					t.Errorf("send: %v", err)
				}
			}
		})
	}
	next := map[string]uint64{}
	for range senders * each * 2 {
		m, f, err := b.Receive()
		if err != nil {
			t.Fatal(err)
		}
		job, ok := m.(*Job)
		if !ok {
			continue
		}
		if got := readAll(t, f); got != job.Key || job.ID != next[job.Key] || len(job.Bucket) != 5000 {
			t.Errorf("job %d of %s: got the file of %q and %d bytes, want job %d", job.ID, job.Key, got, len(job.Bucket), next[job.Key])
		}
		next[job.Key]++
		f.Close()
	}
	wg.Wait()
}

// TestLargeFrame sends a frame that is many times as large as the socket's and the reader's buffer.
func TestLargeFrame(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	want := &Setup{Settings: settings.Settings{CABundle: make([]byte, 2<<20)}}
	job := get(strings.Repeat("k", 300<<10))
	f := tempFile(t, "content")
	done := make(chan error, 2)
	go func() {
		done <- a.Send(want, nil)
		done <- a.Send(job, f)
	}()
	receiveWant(t, b, want, "")
	receiveWant(t, b, job, "content")
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestDeadlines(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	b.SetReadDeadline(time.Now())
	if _, _, err := b.Receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Receive: got %v, want a deadline", err)
	}
	b.SetReadDeadline(time.Now().Add(10 * time.Millisecond)) // comes while it waits
	if _, _, err := b.Receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Receive: got %v, want a deadline", err)
	}
	b.SetReadDeadline(time.Time{})
	send(t, a, &Ping{}, nil)
	receiveWant(t, b, &Ping{}, "")

	a.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
	large := &Setup{Settings: settings.Settings{CABundle: make([]byte, 2<<20)}}
	if err := a.Send(large, nil); !errors.Is(err, os.ErrDeadlineExceeded) { // nobody reads
		t.Errorf("Send: got %v, want a deadline", err)
	}
}

func TestCloseEndsReceive(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	ended := make(chan error)
	go func() {
		_, _, err := b.Receive()
		ended <- err
	}()
	b.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Receive: got %v, want net.ErrClosed", err)
	}
	if err := a.Send(&Ping{}, nil); err == nil {
		t.Error("Send to a closed side succeeded")
	}
}

func BenchmarkJob(b *testing.B) {
	here, there := pipe(b)
	here.SetReadDeadline(time.Time{})
	there.SetReadDeadline(time.Time{})
	here.SetWriteDeadline(time.Time{})
	there.SetWriteDeadline(time.Time{})
	f := tempFile(b, "")
	job := get("photos/2024/a key of some length.jpg")
	frame, err := appendFrame(nil, job)
	if err != nil {
		b.Fatal(err)
	}
	answer := &Result{ID: job.ID, Get: &GetResult{Written: job.Get.Length}}
	back, err := appendFrame(nil, answer)
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		for {
			_, f, err := there.Receive()
			if err != nil {
				return
			}
			f.Close()
			there.Send(answer, nil)
		}
	}()
	b.SetBytes(int64(len(frame) + len(back)))
	b.ReportAllocs()
	for b.Loop() {
		send(b, here, job, f)
		if _, _, err := here.Receive(); err != nil {
			b.Fatal(err)
		}
	}
}
