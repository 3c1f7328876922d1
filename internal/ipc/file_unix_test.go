//go:build unix

package ipc

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/internal/test/leak"
)

// raw writes bytes as no Send does, with the descriptors of files.
func raw(t testing.TB, c *Conn, p []byte, files ...*os.File) {
	t.Helper()
	var oob []byte
	if len(files) > 0 {
		var fds []int
		for _, f := range files {
			fds = append(fds, int(f.Fd()))
		}
		oob = unix.UnixRights(fds...)
	}
	if n, _, err := c.socket.WriteMsgUnix(p, oob, nil); err != nil || n != len(p) {
		t.Fatalf("wrote %d of %d bytes: %v", n, len(p), err)
	}
}

func encode(t testing.TB, ms ...Message) []byte {
	t.Helper()
	var p []byte
	for _, m := range ms {
		var err error
		if p, err = appendFrame(p, m); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func receiveError(t testing.TB, c *Conn, want string) {
	t.Helper()
	m, f, err := c.Receive()
	if m != nil || f != nil || err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, %v, %v, want an error with %q", m, f, err, want)
	}
}

func TestFramesInOneRead(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	raw(t, a, encode(t, &Ping{}, &Cancel{ID: 1}, &Stop{}))
	receiveWant(t, b, &Ping{}, "")
	receiveWant(t, b, &Cancel{ID: 1}, "")
	receiveWant(t, b, &Stop{}, "")
}

func TestFrameInManyPieces(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	job, f := get("k"), tempFile(t, "content")
	frames := encode(t, &Cancel{ID: 1}, job, &Ping{})
	at := len(encode(t, &Cancel{ID: 1}))
	received := make(chan struct{})
	go func() {
		defer close(received)
		receiveWant(t, b, &Cancel{ID: 1}, "")
		receiveWant(t, b, job, "content")
		receiveWant(t, b, &Ping{}, "")
	}()
	for i := range frames {
		if i == at {
			raw(t, a, frames[i:i+1], f)
		} else {
			raw(t, a, frames[i:i+1])
		}
	}
	<-received
}

// TestFilesInOrder sends frames with and without files before the first is received.
func TestFilesInOrder(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	names := []string{"one", "two", "three", "four"}
	for _, name := range names {
		send(t, a, &Ping{}, nil)
		send(t, a, get(name), tempFile(t, name))
		send(t, a, &Cancel{ID: 1}, nil)
	}
	for _, name := range names {
		receiveWant(t, b, &Ping{}, "")
		receiveWant(t, b, get(name), name)
		receiveWant(t, b, &Cancel{ID: 1}, "")
	}
}

func TestEndInAFrame(t *testing.T) {
	leak.Check(t)
	frame := encode(t, &Cancel{ID: 1})
	for cut := 1; cut < len(frame); cut++ {
		a, b := pipe(t)
		raw(t, a, encode(t, &Ping{}))
		raw(t, a, frame[:cut])
		a.Close()
		receiveWant(t, b, &Ping{}, "")
		if m, _, err := b.Receive(); err != io.ErrUnexpectedEOF {
			t.Errorf("cut=%d: got %v, %v, want io.ErrUnexpectedEOF", cut, m, err)
		}
		b.Close()
	}
}

func TestNonsenseEndsReceive(t *testing.T) {
	leak.Check(t)
	for _, p := range []string{"\x00\x00\x00\x00\x01", "\x7f\x00\x00\x00\x01", "\x00\x00\x00\x03\x63{}", "\x00\x00\x00\x02\x01x"} {
		a, b := pipe(t)
		raw(t, a, []byte(p))
		receiveError(t, b, "ipc: ")
	}
}

func TestJobWithoutFile(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	raw(t, a, encode(t, get("k")))
	receiveError(t, b, "its descriptor is missing")
}

// TestFileNobodyAnnounced: the next Job must not take the file for its own.
func TestFileNobodyAnnounced(t *testing.T) {
	stray, own := func(t *testing.T) *os.File { return tempFile(t, "stray") }, func(t *testing.T) *os.File { return tempFile(t, "own") }
	t.Run("with a Ping", func(t *testing.T) {
		leak.Check(t)
		a, b := pipe(t)
		raw(t, a, encode(t, &Ping{}), stray(t))
		send(t, a, get("k"), own(t))
		receiveError(t, b, "a descriptor came that it does not carry")
	})
	t.Run("with half a Ping", func(t *testing.T) {
		leak.Check(t)
		a, b := pipe(t)
		ping := encode(t, &Ping{})
		raw(t, a, ping[:2], stray(t))
		raw(t, a, ping[2:])
		send(t, a, get("k"), own(t))
		receiveError(t, b, "a descriptor came that it does not carry")
	})
	t.Run("behind other frames", func(t *testing.T) {
		leak.Check(t)
		a, b := pipe(t)
		raw(t, a, encode(t, &Ping{}, &Ping{}))
		raw(t, a, encode(t, &Pong{}), stray(t))
		send(t, a, get("k"), own(t))
		receiveWant(t, b, &Ping{}, "")
		receiveWant(t, b, &Ping{}, "")
		receiveError(t, b, "a descriptor came that it does not carry")
	})
	t.Run("two with a Job", func(t *testing.T) {
		leak.Check(t)
		a, b := pipe(t)
		raw(t, a, encode(t, get("k")), own(t), stray(t))
		receiveError(t, b, "a descriptor came that it does not carry")
	})
	t.Run("with a job that has none", func(t *testing.T) {
		leak.Check(t)
		a, b := pipe(t)
		raw(t, a, encode(t, &Job{Head: &Head{}}), stray(t))
		receiveError(t, b, "a descriptor came that it does not carry")
	})
}

// wantClosed closes c and checks that it closes the n files that Receive has not returned.
// leak.Check may miss one, because the garbage collector closes files, too.
func wantClosed(t testing.TB, c *Conn, n int) {
	t.Helper()
	untaken := c.files.untaken
	if len(untaken) != n {
		t.Errorf("got %d files not returned, want %d", len(untaken), n)
	}
	c.Close()
	for _, a := range untaken {
		if _, err := a.file.Stat(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("a file is still open: %v", err)
		}
	}
}

// TestFilesNobodyTakes: Close closes them.
func TestFilesNobodyTakes(t *testing.T) {
	t.Run("read with an earlier frame", func(t *testing.T) {
		leak.Check(t)
		a, b := pipe(t)
		send(t, a, &Ping{}, nil)
		send(t, a, get("k"), tempFile(t, ""))
		receiveWant(t, b, &Ping{}, "")
		wantClosed(t, b, 1)
	})
	t.Run("of a frame that never ends", func(t *testing.T) {
		leak.Check(t)
		a, b := pipe(t)
		frame := encode(t, get("k"))
		raw(t, a, frame[:len(frame)-1], tempFile(t, ""))
		a.Close()
		if _, _, err := b.Receive(); err != io.ErrUnexpectedEOF {
			t.Errorf("got %v, want io.ErrUnexpectedEOF", err)
		}
		wantClosed(t, b, 1)
	})
	t.Run("never read", func(t *testing.T) {
		leak.Check(t)
		a, _ := pipe(t)
		send(t, a, get("k"), tempFile(t, ""))
	})
	t.Run("more than one message has room for", func(t *testing.T) {
		leak.Check(t)
		a, b := pipe(t)
		var files []*os.File
		for range 40 {
			files = append(files, tempFile(t, ""))
		}
		raw(t, a, encode(t, &Ping{}), files...)
		receiveError(t, b, "a descriptor was lost")
		wantClosed(t, b, 16)
	})
	t.Run("nobody announced", func(t *testing.T) {
		leak.Check(t)
		a, b := pipe(t)
		raw(t, a, encode(t, &Ping{}), tempFile(t, ""))
		receiveError(t, b, "a descriptor came that it does not carry")
		wantClosed(t, b, 1)
	})
	t.Run("received after Close", func(t *testing.T) {
		leak.Check(t)
		_, b := pipe(t)
		b.Close()
		f := tempFile(t, "")
		b.keep([]*os.File{f}, 0)
		if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("the file is still open: %v", err)
		}
	})
}

// TestFileThatFindsNoPlace: if the table of descriptors is full, the kernel drops a descriptor
// without an error, and the next Job's would take its place.
func TestFileThatFindsNoPlace(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	first, second := tempFile(t, "first"), tempFile(t, "second")
	send(t, a, get("first"), first)
	send(t, a, get("second"), second)

	full(t, func() { receiveError(t, b, "a descriptor was lost") })
}

// full calls fn while this process can open no further descriptor.
func full(t *testing.T, fn func()) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	next, err := unix.Dup(0)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(next) // the lowest that is free
	low := limit
	low.Cur = uint64(next)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
	}()
	fn()
}

func TestInheritedRefuses(t *testing.T) {
	leak.Check(t)
	f := tempFile(t, "")
	if _, err := inherited(int(f.Fd())); err == nil || !strings.Contains(err.Error(), "descriptor") {
		t.Errorf("a regular file: got %v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	tcp, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	if _, err := inherited(int(tcp.Fd())); err == nil || !strings.Contains(err.Error(), "is not a Unix socket") {
		t.Errorf("a TCP socket: got %v", err)
	}
	if _, err := inherited(1 << 20); !errors.Is(err, unix.EBADF) {
		t.Errorf("no descriptor: got %v, want EBADF", err)
	}
}

func TestPairClosesOnExec(t *testing.T) {
	leak.Check(t)
	a, b, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	defer b.Close()
	for _, f := range []*os.File{a, b} {
		if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("%s: got flags %x, error %v", f.Name(), flags, err)
		}
	}
}

// TestReceivedFileClosesOnExec: a program that a worker may start must not hold the
// temporary file open.
func TestReceivedFileClosesOnExec(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	send(t, a, get("k"), tempFile(t, ""))
	_, f, err := b.Receive()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("got flags %x, error %v", flags, err)
	}
}

func TestNewConnRefuses(t *testing.T) {
	leak.Check(t)
	f := tempFile(t, "")
	if c, err := NewConn(f); err == nil {
		c.Close()
		t.Error("a regular file was taken for a socket")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	tcp, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	if c, err := NewConn(tcp); err == nil {
		c.Close()
		t.Error("a TCP socket was taken for a Unix one")
	}
	for _, f := range []*os.File{f, tcp} {
		if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s is still open", f.Name())
		}
	}
}

// The pool's end takes no descriptors: the kernel closes them, and the conversation is over.
func TestFilesFromAWorker(t *testing.T) {
	leak.Check(t)
	a, b := pipe(t)
	raw(t, b, encode(t, &Pong{}))
	receiveWant(t, a, &Pong{}, "")
	here, there, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	raw(t, b, encode(t, &Pong{}), there)
	there.Close()
	receiveError(t, a, "a descriptor came, and none may come from there")
	if n, err := here.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("got %d, %v: somebody has the other end of the pipe open", n, err)
	}
}

// The greeting is seen, and stays until Inherited takes it. Nothing else is taken for it.
func TestBequeathed(t *testing.T) {
	leak.Check(t)
	ours, theirs, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	conn := open(t, ours)
	fd := int(theirs.Fd())
	inherit := func(on bool) {
		flags := 0
		if !on {
			flags = unix.FD_CLOEXEC
		}
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, flags); err != nil {
			t.Fatal(err)
		}
	}
	want := func(when string, want bool) {
		t.Helper()
		if got := bequeathed(fd); got != want {
			t.Errorf("%s: got %v, want %v", when, got, want)
		}
	}
	inherit(true)
	want("before the greeting", false)
	if err := conn.Bequeath(new(exec.Cmd), theirs); err != nil {
		t.Fatal(err)
	}
	inherit(false)
	want("in the pool's process", false)
	inherit(true)
	for range 2 {
		want("in the worker's place", true)
	}
	copied, err := unix.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	socket, err := inherited(copied)
	if err != nil {
		t.Fatal(err)
	}
	want("after it was taken", false)
	if _, err := inherited(fd); err == nil || !strings.Contains(err.Error(), "no pool is at the other end") {
		t.Errorf("twice: got %v", err)
	}
	send(t, conn, &Ping{}, nil)
	want("a frame", false)
	receiveWant(t, open(t, socket), &Ping{}, "") // bequeathed has not taken it
	theirs.Close()
	f := tempFile(t, string(greeting))
	if bequeathed(int(f.Fd())) {
		t.Error("a file was taken for a socket")
	}
}
