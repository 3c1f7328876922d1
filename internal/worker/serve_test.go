package worker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/s3processpool/processpool/internal/checksum"
	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
	"github.com/s3processpool/processpool/internal/worker"
)

// patience is how long a test waits for an event that must happen. Only a test that hangs exceeds
// it.
const patience = 2 * time.Minute

// pool is the pool of a worker that runs in this process.
type pool struct {
	t     *testing.T
	conn  *ipc.Conn
	ended chan error // Serve's result
	vend  func(*ipc.Ask) *ipc.Credentials
	asks  []ipc.Ask
}

// start starts a worker and receives its Hello.
func start(t *testing.T, optFns ...func(*s3.Options)) *pool {
	t.Helper()
	if !ipc.Available {
		t.Skip("no workers on this platform")
	}
	ours, theirs, err := ipc.Pair()
	if err != nil {
		t.Fatal(err)
	}
	p := &pool{t: t, conn: open(t, ours), ended: make(chan error, 1)}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { self.Release() })
	p.conn.Peer(self)
	conn := open(t, theirs)
	go func() { p.ended <- worker.Serve(conn, optFns...) }()
	p.conn.SetReadDeadline(time.Now().Add(patience))
	t.Cleanup(func() { p.conn.Close() })
	if hello := receive[*ipc.Hello](p); hello.Version != ipc.Version || hello.PID != os.Getpid() {
		t.Errorf("got %+v", hello)
	}
	return p
}

func open(t *testing.T, f ipc.End) *ipc.Conn {
	t.Helper()
	c, err := ipc.NewConn(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve starts a worker of origin that is ready for jobs.
func serve(t *testing.T, origin *s3test.Server, optFns ...func(*s3.Options)) *pool {
	t.Helper()
	p := start(t, optFns...)
	p.send(&ipc.Setup{Version: ipc.Version, Settings: settings.Settings{
		Client: settings.Client{
			Region: s3test.Region, BaseEndpoint: aws.String(origin.URL()), UsePathStyle: true, RetryMode: aws.RetryModeStandard,
		},
		Slots: 3, MaxAttempts: 2, StallTimeout: patience, UserAgent: "processpool/test",
	}})
	receive[*ipc.Ready](p)
	return p
}

func (p *pool) send(m ipc.Message) {
	p.t.Helper()
	if err := p.conn.Send(m, nil); err != nil {
		p.t.Fatalf("send %T: %v", m, err)
	}
}

// get sends a job with a new file. content must be called when the job has ended: it checks that
// the worker has closed its descriptor, and returns the file's content.
func (p *pool) get(job *ipc.Job) (content func() []byte) {
	p.t.Helper()
	f, err := os.Create(filepath.Join(p.t.TempDir(), "file"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close() // the worker has its own descriptor
	job.Bucket = "b"
	if err := p.conn.Send(job, f); err != nil {
		p.t.Fatal(err)
	}
	return func() []byte {
		links, _ := filepath.Glob("/proc/self/fd/*") // on Linux
		for _, link := range links {
			if target, err := os.Readlink(link); err == nil && target == f.Name() {
				p.t.Errorf("job %d: the file is still open", job.ID)
			}
		}
		data, err := os.ReadFile(f.Name())
		if err != nil {
			p.t.Fatal(err)
		}
		return data
	}
}

// receive returns the worker's next message, which must be an M. It answers each Ask that comes
// before.
func receive[M ipc.Message](p *pool) M {
	p.t.Helper()
	for {
		m, _, err := p.conn.Receive()
		if err != nil {
			p.t.Fatalf("got %v, want a %T", err, *new(M))
		}
		if ask, ok := m.(*ipc.Ask); ok {
			p.asks = append(p.asks, *ask)
			if p.vend == nil {
				p.vend = func(*ipc.Ask) *ipc.Credentials {
					return &ipc.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "any"}
				}
			}
			p.send(p.vend(ask))
			continue
		}
		got, ok := m.(M)
		if !ok {
			p.t.Fatalf("got %T %+v, want a %T", m, m, *new(M))
		}
		return got
	}
}

// wantEnd waits for Serve to return an error with that text; "" = nil.
func (p *pool) wantEnd(want string) {
	p.t.Helper()
	select {
	case err := <-p.ended:
		switch {
		case want == "" && err != nil:
			p.t.Errorf("got %v, want none", err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			p.t.Errorf("got %v, want an error with %q", err, want)
		}
	case <-time.After(patience):
		p.t.Fatal("Serve does not return")
	}
}

func (p *pool) stop() {
	p.t.Helper()
	p.send(&ipc.Stop{})
	p.wantEnd("")
}

func origin(t *testing.T, optFns ...func(*s3test.Options)) *s3test.Server {
	s := s3test.Start(optFns...)
	t.Cleanup(s.Close)
	return s
}

func TestGreeting(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(*pool)
		want   string
	}{
		{"pool gone", func(p *pool) { p.conn.Close() }, "the pool is gone"},
		{"another version", func(p *pool) { p.send(&ipc.Setup{Version: 42}) }, fmt.Sprintf("the pool has protocol version 42, this worker %d: build both", ipc.Version)},
		{"another message", func(p *pool) { p.send(&ipc.Ping{}) }, "the pool's first message is a *ipc.Ping, want a Setup"},
		{"gone when ready", func(p *pool) {
			p.send(&ipc.Setup{Version: ipc.Version, Settings: settings.Settings{Slots: 1}})
			receive[*ipc.Ready](p)
			p.conn.Close()
		}, "the pool is gone"},
		{"nonsense when ready", func(p *pool) {
			p.send(&ipc.Setup{Version: ipc.Version, Settings: settings.Settings{Slots: 1}})
			receive[*ipc.Ready](p)
			p.send(&ipc.Setup{})
		}, "the pool sent a *ipc.Setup"},
		{"stop when ready", func(p *pool) {
			p.send(&ipc.Setup{Version: ipc.Version, Settings: settings.Settings{Slots: 1}})
			receive[*ipc.Ready](p)
			p.send(&ipc.Stop{})
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			p := start(t)
			c.answer(p)
			p.wantEnd(c.want)
		})
	}
}

// TestNoClient: if no client can be made of the settings, each job fails with that error.
func TestNoClient(t *testing.T) {
	leak.Check(t)
	p := start(t)
	p.send(&ipc.Setup{Version: ipc.Version, Settings: settings.Settings{Slots: 1, CABundle: []byte("no PEM")}})
	receive[*ipc.Ready](p)
	for id := range uint64(2) {
		p.get(&ipc.Job{ID: id, Key: "k", Get: &ipc.Get{Size: 5, Length: 5}})
		if r := receive[*ipc.Result](p); r.ID != id || r.Err == nil || !strings.Contains(r.Err.Text, "CABundle") {
			t.Errorf("got %+v, want an error that names CABundle", r)
		}
	}
	p.stop()
}

func TestJobs(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	data := s3test.PatternBytes(1, 10_000)
	stored := origin.Put("b", "k", data)
	p := serve(t, origin)

	p.send(&ipc.Job{ID: 1, Bucket: "b", Key: "k", Args: ipc.Args{ChecksumMode: "ENABLED"}, Head: &ipc.Head{Layout: true}})
	head := receive[*ipc.Result](p)
	want := ipc.Object{
		Details: &ipc.Details{
			ContentType: "binary/octet-stream",
			Checksums:   []ipc.Sum{{Algorithm: "CRC64NVME", Value: stored.Checksums["crc64nvme"]}},
		},
		Size: 10_000, ETag: stored.ETag, LastModified: stored.LastModified,
		Stored: []checksum.Stored{
			{Algorithm: checksum.CRC64NVME, Kind: checksum.FullObject, Value: stored.Checksums["crc64nvme"]},
			{Algorithm: checksum.MD5, Kind: checksum.ETag, Value: strings.Trim(stored.ETag, `"`)},
		},
	}
	if head.ID != 1 || head.Err != nil || !reflect.DeepEqual(head.Head, &ipc.HeadResult{Object: want}) {
		t.Errorf("got %+v, want job 1 and %+v", head, want)
	}

	content := p.get(&ipc.Job{ID: 2, Key: "k", Get: &ipc.Get{
		ETag: stored.ETag, Size: 10_000, Offset: 3000, Length: 500, Checksum: checksum.CRC32C,
	}})
	got := receive[*ipc.Result](p)
	if sum := checksum.CRC32C.Update(0, data[3000:3500]); got.ID != 2 || got.Err != nil || got.Get.Written != 500 || got.Get.Sum != sum {
		t.Errorf("got %+v, want job 2, 500 bytes of CRC %x", got, sum)
	}
	if f := content(); !bytes.Equal(f, append(make([]byte, 3000), data[3000:3500]...)) {
		t.Errorf("got %d bytes in the file", len(f))
	}

	content = p.get(&ipc.Job{ID: 3, Key: "k", Get: &ipc.Get{Size: 10_000, Length: 10_000, Whole: true, Checksum: checksum.SHA256}})
	got = receive[*ipc.Result](p)
	digest := checksum.SHA256.New()
	digest.Write(data)
	if got.Err != nil || !bytes.Equal(got.Get.Digest, digest.Sum(nil)) || !bytes.Equal(content(), data) {
		t.Errorf("got %+v and %d bytes", got, len(content()))
	}
	p.stop()
	for _, r := range origin.Requests() {
		if !strings.Contains(r.UserAgent, "processpool/test") {
			t.Errorf("%s: got User-Agent %q", r.Method, r.UserAgent)
		}
	}
}

func TestJobFails(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	origin.Put("b", "other", nil)
	p := serve(t, origin)
	p.send(&ipc.Job{ID: 1, Bucket: "b", Key: "missing", Head: &ipc.Head{}})
	if _, ok := errors.AsType[*types.NotFound](receive[*ipc.Result](p).Err.Unpack()); !ok {
		t.Error("HeadObject: got no NotFound")
	}
	p.get(&ipc.Job{ID: 2, Key: "missing", Get: &ipc.Get{Size: 5, Length: 5}})
	if _, ok := errors.AsType[*types.NoSuchKey](receive[*ipc.Result](p).Err.Unpack()); !ok {
		t.Error("GetObject: got no NoSuchKey")
	}
	content := p.get(&ipc.Job{ID: 3, Key: "other", Read: &ipc.Read{Length: 5}})
	if r := receive[*ipc.Result](p); r.ID != 3 || r.Err == nil || !strings.Contains(r.Err.Text, "read the file back: EOF") {
		t.Errorf("Read of an empty file: got %+v", r)
	}
	content() // the file is closed
	for id, job := range []*ipc.Job{{}, {Head: &ipc.Head{}, List: &ipc.List{}}} {
		job.ID, job.Bucket, job.Key = uint64(id), "b", "other"
		p.send(job)
		if r := receive[*ipc.Result](p); r.ID != job.ID || r.Err == nil || !strings.Contains(r.Err.Text, "no operation, or more than one") {
			t.Errorf("got %+v, want the error of a job that has not one operation", r)
		}
	}
	p.stop()
}

// TestFound: the first answer about an Unconfirmed object is reported, with the checksum chosen.
func TestFound(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	stored := origin.Put("b", "k", []byte("0123456789"), s3test.WithChecksum("", ""))
	p := serve(t, origin)
	p.get(&ipc.Job{ID: 1, Key: "k", Get: &ipc.Get{Size: 10, Length: 4, Unconfirmed: true}})
	if m := receive[*ipc.Found](p); m.ID != 1 || m.Object.ETag != stored.ETag || m.Object.Size != 10 || m.Chosen != nil {
		t.Errorf("got %+v", m)
	}
	if r := receive[*ipc.Result](p); r.Err != nil || r.Get.Chosen != nil || r.Request == "" {
		t.Errorf("got %+v", r)
	}

	// The ETag of a whole object in one range.
	p.get(&ipc.Job{ID: 2, Key: "k", Get: &ipc.Get{Size: 10, Length: 10, Unconfirmed: true, Choose: true, OneRange: true}})
	want := &checksum.Stored{Algorithm: checksum.MD5, Kind: checksum.ETag, Value: strings.Trim(stored.ETag, `"`)}
	if m := receive[*ipc.Found](p); m.ID != 2 || !reflect.DeepEqual(m.Chosen, want) {
		t.Errorf("got %+v, want %+v chosen", m, want)
	}
	if r := receive[*ipc.Result](p); r.Err != nil || !reflect.DeepEqual(r.Get.Chosen, want) || !want.MatchDigest(r.Get.Digest) {
		t.Errorf("got %+v, want %+v chosen", r, want)
	}
	p.stop()
}

// TestUnknownSize: the object's size is the first answer's, also for the write-back.
func TestUnknownSize(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	data := s3test.PatternBytes(1, 10_000)
	origin.Put("b", "k", data)
	p := serve(t, origin)
	for id, limit := range []int64{10_001, 10_000} {
		content := p.get(&ipc.Job{ID: uint64(id), Key: "k", Get: &ipc.Get{
			Size: ipc.SizeUnknown, Length: ipc.SizeUnknown, Whole: true, Unconfirmed: true, Limit: limit, OneRange: true,
			WriteBack: true,
		}})
		r, got := receive[*ipc.Result](p), content()
		if unsuited := limit == 10_000; r.Err != nil || r.Get.Unsuited != unsuited {
			t.Errorf("limit=%d: got %+v", limit, r)
		} else if !unsuited && (r.Get.Written != 10_000 || r.Get.Object.Size != 10_000 || !bytes.Equal(got, data)) {
			t.Errorf("limit=%d: got %+v and %d bytes", limit, r.Get, len(got))
		}
	}
	p.stop()
}

// TestProgress: each write is reported, but not the last, nor those that come soon after another.
func TestProgress(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	const size = 3 << 20
	data := s3test.PatternBytes(1, size)
	origin.Put("b", "k", data)
	// The pauses are longer than progressEvery.
	origin.Inject(s3test.Fault{Trickle: 150 * time.Millisecond, TrickleBytes: 1 << 20})
	p := serve(t, origin)
	p.get(&ipc.Job{ID: 1, Key: "k", Get: &ipc.Get{Size: size, Length: size, Checksum: checksum.CRC64NVME}})
	words := 0
	for {
		m, _, err := p.conn.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := m.(*ipc.Ask); ok {
			p.send(&ipc.Credentials{AccessKeyID: "A", SecretAccessKey: "S"})
			continue
		}
		if r, ok := m.(*ipc.Result); ok {
			if r.Err != nil || r.Get.Written != size || r.Get.Sum != checksum.CRC64NVME.Update(0, data) {
				t.Errorf("got %+v", r)
			}
			break
		}
		w := m.(*ipc.Progress)
		if words++; w.ID != 1 || w.Written <= 0 || w.Written >= size || w.Sum != checksum.CRC64NVME.Update(0, data[:w.Written]) {
			t.Errorf("got %+v", w)
		}
	}
	if words == 0 {
		t.Error("got no progress")
	}
	p.stop()
}

// TestProgressOfARestart: a range that begins again takes back at once what was reported of it.
func TestProgressOfARestart(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	const size = 1000
	data := s3test.PatternBytes(1, size)
	origin.Put("b", "k", data)
	origin.Inject(s3test.Fault{Cut: true, CutAfter: 300, Times: 1})
	origin.Inject(s3test.Fault{IgnoreRange: true})
	p := serve(t, origin)
	content := p.get(&ipc.Job{ID: 1, Key: "k", Get: &ipc.Get{Size: size, Length: size, Whole: true, Checksum: checksum.CRC64NVME}})
	receive[*ipc.Retry](p)
	if w := receive[*ipc.Progress](p); w.ID != 1 || w.Written != 0 || w.Sum != 0 {
		t.Errorf("got %+v, want the progress of a range that begins again", w)
	}
	r := receive[*ipc.Result](p)
	if r.Err != nil || r.Get.Sum != checksum.CRC64NVME.Update(0, data) || !bytes.Equal(content(), data) {
		t.Errorf("got %+v", r)
	}
	p.stop()
}

func TestRetryIsReported(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	origin.Put("b", "k", []byte("0123456789"))
	origin.Inject(s3test.Fault{Times: 2, Status: http.StatusInternalServerError})
	p := serve(t, origin)
	p.send(&ipc.Job{ID: 1, Bucket: "b", Key: "k", Head: &ipc.Head{}})
	if m := receive[*ipc.Retry](p); m.ID != 1 || m.Attempt != 1 || m.Wait <= 0 || !strings.Contains(m.Cause, "500") {
		t.Errorf("got %+v", m)
	}
	if err := receive[*ipc.Result](p).Err.Unpack(); !errors.Is(err, failure.ErrRetriesExceeded) {
		t.Errorf("got %v, want ErrRetriesExceeded after MaxAttempts", err)
	}
	p.stop()
}

// TestSlots: jobs run concurrently, and the results come in the order in which they end.
func TestSlots(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	origin.Put("b", "k", []byte("0123456789"))
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Times: 2, Gate: gate})
	p := serve(t, origin)
	for id := range uint64(2) {
		p.send(&ipc.Job{ID: id, Bucket: "b", Key: "k", Head: &ipc.Head{}})
	}
	waitRequests(p, origin, 2)
	p.send(&ipc.Job{ID: 2, Bucket: "b", Key: "k", Head: &ipc.Head{}})
	if r := receive[*ipc.Result](p); r.ID != 2 {
		t.Errorf("got job %d first, want the one that does not wait", r.ID)
	}
	close(gate)
	if a, b := receive[*ipc.Result](p), receive[*ipc.Result](p); a.Err != nil || b.Err != nil || a.ID+b.ID != 1 {
		t.Errorf("got %+v and %+v", a, b)
	}
	p.stop()
}

// TestMoreJobsThanSlots: those that have no slot wait, in order, and can be canceled or given back
// meanwhile; a Cancel with Waiting does nothing to one that has begun.
func TestMoreJobsThanSlots(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	origin.Put("b", "k", []byte("0123456789"))
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Method: "GET", Times: 3, Gate: gate})
	p := serve(t, origin) // with three slots
	for id := range uint64(3) {
		p.get(&ipc.Job{ID: id, Key: "k", Get: &ipc.Get{Size: 10, Length: 10}})
	}
	waitRequests(p, origin, 3)
	for id := range uint64(5) {
		p.send(&ipc.Job{ID: 3 + id, Bucket: "b", Key: "k", Head: &ipc.Head{}})
	}
	p.get(&ipc.Job{ID: 8, Key: "k", Get: &ipc.Get{Size: 10, Length: 10}}) // has a file
	p.send(&ipc.Cancel{ID: 0, Waiting: true})
	for id, waited := range map[uint64]bool{4: true, 5: false, 8: true} {
		p.send(&ipc.Cancel{ID: id, Waiting: waited})
		r := receive[*ipc.Result](p)
		if canceled := errors.Is(r.Err.Unpack(), failure.ErrCanceled); r.ID != id || r.Waited != waited || canceled == waited {
			t.Errorf("got %+v, want that job %d had not begun: %v, or else that it is canceled", r, id, waited)
		}
	}
	if got := len(origin.Requests()); got != 3 {
		t.Errorf("%d requests were made, want those of the three slots", got)
	}
	close(gate)
	var heads []uint64
	for range 6 {
		r := receive[*ipc.Result](p)
		if r.Err != nil || r.Waited {
			t.Errorf("got %+v, want an answer", r)
		}
		if r.Head != nil {
			heads = append(heads, r.ID)
		}
	}
	slices.Sort(heads) // with three slots they may end in any order
	if !slices.Equal(heads, []uint64{3, 6, 7}) {
		t.Errorf("heads of jobs %v, want 3, 6, 7", heads)
	}
	p.stop()
}

// waitRequests answers the worker's Asks until n requests have arrived.
func waitRequests(p *pool, origin *s3test.Server, n int) {
	p.t.Helper()
	arrived := make(chan error, 1)
	go func() { arrived <- origin.WaitRequests(p.t.Context(), n, nil) }()
	p.send(&ipc.Ping{})
	for {
		receive[*ipc.Pong](p) // and each Ask before it
		select {
		case err := <-arrived:
			if err != nil {
				p.t.Fatal(err)
			}
			return
		case <-time.After(time.Millisecond):
			p.send(&ipc.Ping{})
		}
	}
}

func TestCancel(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	origin.Put("b", "k", s3test.PatternBytes(1, 3<<20))
	origin.Inject(s3test.Fault{Method: "GET", Stall: true, StallAfter: 2<<20 + 5})
	origin.Inject(s3test.Fault{Method: "HEAD", Gate: make(chan struct{})})
	p := serve(t, origin)
	p.send(&ipc.Cancel{ID: 99}) // of no job

	p.get(&ipc.Job{ID: 1, Key: "k", Get: &ipc.Get{Size: 3 << 20, Length: 3 << 20}})
	p.send(&ipc.Job{ID: 2, Bucket: "b", Key: "k", Head: &ipc.Head{}})
	waitRequests(p, origin, 2)
	for id := range uint64(2) {
		p.send(&ipc.Cancel{ID: id + 1})
		if r := receive[*ipc.Result](p); r.ID != id+1 || !errors.Is(r.Err.Unpack(), failure.ErrCanceled) {
			t.Errorf("got %+v, want job %d canceled", r, id+1)
		}
		p.send(&ipc.Cancel{ID: id + 1}) // once more
	}
	p.stop()
}

// TestCancelBeforeCredentials: a job can be canceled while it waits for a slow provider.
func TestCancelBeforeCredentials(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	p := serve(t, origin)
	p.send(&ipc.Job{ID: 1, Bucket: "b", Key: "k", Head: &ipc.Head{}})
	if m, _, err := p.conn.Receive(); err != nil {
		t.Fatal(err)
	} else if _, ok := m.(*ipc.Ask); !ok {
		t.Fatalf("got a %T, want an Ask", m)
	}
	p.send(&ipc.Cancel{ID: 1})
	if err := receive[*ipc.Result](p).Err.Unpack(); !errors.Is(err, failure.ErrCanceled) {
		t.Errorf("got %v, want ErrCanceled", err)
	}
	p.send(&ipc.Credentials{AccessKeyID: "A", SecretAccessKey: "S"}) // late
	p.send(&ipc.Job{ID: 2, Bucket: "b", Key: "k", Head: &ipc.Head{}})
	if r := receive[*ipc.Result](p); r.ID != 2 || len(p.asks) != 0 {
		t.Errorf("got %+v after %d more Asks", r, len(p.asks))
	}
	p.stop()
}

// TestStopEndsJobs: Stop cancels all jobs, and each has its Result all the same.
func TestStopEndsJobs(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	origin.Put("b", "k", []byte("0123456789"))
	origin.Inject(s3test.Fault{Gate: make(chan struct{})})
	p := serve(t, origin)
	for id := range uint64(2) {
		p.send(&ipc.Job{ID: id, Bucket: "b", Key: "k", Head: &ipc.Head{}})
	}
	waitRequests(p, origin, 2)
	p.send(&ipc.Stop{})
	for range 2 {
		if err := receive[*ipc.Result](p).Err.Unpack(); !errors.Is(err, failure.ErrCanceled) {
			t.Errorf("got %v, want ErrCanceled", err)
		}
	}
	p.wantEnd("")
}

// TestPoolDies: Serve does not wait for running jobs.
func TestPoolDies(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	origin.Put("b", "k", []byte("0123456789"))
	origin.Inject(s3test.Fault{Gate: make(chan struct{})})
	p := serve(t, origin)
	p.send(&ipc.Job{ID: 1, Bucket: "b", Key: "k", Head: &ipc.Head{}})
	waitRequests(p, origin, 1)
	p.conn.Close()
	p.wantEnd("the pool is gone")
}

func TestCredentials(t *testing.T) {
	leak.Check(t)
	origin := origin(t, func(o *s3test.Options) { o.AccessKey, o.SecretKey = "AKID", "secret" })
	origin.Put("b", "k", []byte("0123456789"))
	p := serve(t, origin)
	expires := time.Now().Add(time.Hour)
	p.vend = func(*ipc.Ask) *ipc.Credentials {
		return &ipc.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret", CanExpire: true, Expires: expires}
	}
	for range 3 {
		p.send(&ipc.Job{ID: 1, Bucket: "b", Key: "k", Head: &ipc.Head{}})
		if r := receive[*ipc.Result](p); r.Err != nil {
			t.Errorf("got %v", r.Err)
		}
	}
	if len(p.asks) != 1 || p.asks[0] != (ipc.Ask{}) {
		t.Errorf("got Asks %+v, want one", p.asks)
	}

	// S3 refuses credentials that it had accepted: the Ask names them.
	origin.SetCredentials("AKID2", "secret2", "token2")
	p.vend = func(*ipc.Ask) *ipc.Credentials {
		return &ipc.Credentials{AccessKeyID: "AKID2", SecretAccessKey: "secret2", SessionToken: "token2"}
	}
	origin.Inject(s3test.Fault{Times: 1, Status: 400, Code: "ExpiredToken"})
	p.get(&ipc.Job{ID: 2, Key: "k", Get: &ipc.Get{Size: 10, Length: 10}})
	receive[*ipc.Retry](p)
	if r := receive[*ipc.Result](p); r.Err != nil {
		t.Errorf("got %v", r.Err)
	}
	if len(p.asks) != 2 || p.asks[1] != (ipc.Ask{RefusedKey: "AKID"}) {
		t.Errorf("got Asks %+v, want a second that names AKID", p.asks)
	}
	origin.SetCredentials("AKID3", "secret3", "token3")
	p.vend = func(*ipc.Ask) *ipc.Credentials { return &ipc.Credentials{Err: "no role to assume"} }
	p.get(&ipc.Job{ID: 3, Key: "k", Get: &ipc.Get{Size: 10, Length: 10}})
	receive[*ipc.Retry](p)
	if r := receive[*ipc.Result](p); r.Err == nil || !strings.Contains(r.Err.Text, "no role to assume") {
		t.Errorf("got %+v, want the provider's error", r)
	}
	if len(p.asks) != 3 || p.asks[2] != (ipc.Ask{RefusedKey: "AKID2", RefusedToken: "token2"}) {
		t.Errorf("got Asks %+v, want a third that names AKID2 and token2", p.asks)
	}
	p.stop()
}

// TestShortLivedCredentials: the worker asks again when they expire.
func TestShortLivedCredentials(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	origin.Put("b", "k", nil)
	p := serve(t, origin)
	p.vend = func(*ipc.Ask) *ipc.Credentials {
		return &ipc.Credentials{AccessKeyID: "A", SecretAccessKey: "S", CanExpire: true, Expires: time.Now().Add(-time.Second)}
	}
	for n := 1; n <= 2; n++ {
		p.send(&ipc.Job{ID: 1, Bucket: "b", Key: "k", Head: &ipc.Head{}})
		receive[*ipc.Result](p)
		if len(p.asks) < n {
			t.Errorf("got %d Asks for %d jobs", len(p.asks), n)
		}
	}
	p.stop()
}

// TestClientOptions: they are applied last.
func TestClientOptions(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	origin.Put("b", "k", nil)
	p := serve(t, origin, func(o *s3.Options) {
		o.APIOptions = append(o.APIOptions, smithyhttp.AddHeaderValue("X-Region", o.Region))
	})
	p.send(&ipc.Job{ID: 1, Bucket: "b", Key: "k", Head: &ipc.Head{}})
	receive[*ipc.Result](p)
	if got := origin.Requests()[0].Header.Get("X-Region"); got != s3test.Region {
		t.Errorf("got header %q, want %q", got, s3test.Region)
	}
	p.stop()
}

// TestConnect: a worker opens a connection for each slot, and asks nothing. Client options of the caller's
// see no request that is not sent.
func TestConnect(t *testing.T) {
	leak.Check(t)
	origin := origin(t)
	origin.Put("b", "k", nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p := serve(t, origin)
	p.send(&ipc.Connect{Bucket: "b"})
	if err := origin.WaitConnections(ctx, 3); err != nil {
		t.Errorf("got %d connections, want 3: %v", origin.Connections(), err)
	}
	if n := len(origin.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	p.stop()

	seen := 0
	p = serve(t, origin, func(o *s3.Options) { seen++ })
	p.send(&ipc.Connect{Bucket: "b"})
	p.send(&ipc.Ping{})
	receive[*ipc.Pong](p)
	p.stop()
	if seen != 0 || origin.Connections() != 3 {
		t.Errorf("with options of the caller's: they were called %d times, and there are %d connections", seen, origin.Connections())
	}
}

// A second descriptor whose job could not be sent is closed at the Cancel of the job, or when the next
// one comes.
func TestDirectWithoutItsJob(t *testing.T) {
	for name, next := range map[string]ipc.Message{"cancel": &ipc.Cancel{ID: 1}, "another": &ipc.Direct{ID: 2}} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin := s3test.Start()
			defer origin.Close()
			p := serve(t, origin)
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if err := p.conn.Send(&ipc.Direct{ID: 1}, w); err != nil {
				t.Fatal(err)
			}
			w.Close()
			var file *os.File
			if _, carries := next.(*ipc.Direct); carries {
				file = r
			}
			if err := p.conn.Send(next, file); err != nil {
				t.Fatal(err)
			}
			r.SetReadDeadline(time.Now().Add(patience))
			if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("got %v, want the end of the pipe", err)
			}
		})
	}
}
