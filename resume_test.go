package processpool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func resume(o *processpool.DownloadOptions) { o.Resume = true }

// single makes a downloader of one worker, and of ranges of so many bytes.
func single(t *testing.T, origin *s3test.Server, chunk int64, optFns ...func(*processpool.Config)) *processpool.Downloader {
	t.Helper()
	return newDownloader(t, origin, append([]func(*processpool.Config){processes(1), unhurried, multipart(1, chunk)}, optFns...)...)
}

// interrupt begins to download b/k with one worker, and cancels when the range that
// begins at the offset is asked for, which never arrives; all before it has.
func interrupt(t *testing.T, origin *s3test.Server, d *processpool.Downloader, filename string, at int64) {
	t.Helper()
	fault := origin.Inject(s3test.Fault{Method: "GET", Gate: make(chan struct{}), Match: func(r s3test.Request) bool {
		return strings.HasPrefix(r.Range, fmt.Sprintf("bytes=%d-", at))
	}})
	f := d.DownloadFile(t.Context(), "b", "k", filename, resume)
	for deadline := time.Now().Add(patience); fault.Hits() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the range at %d was not asked for; requests %v", at, len(origin.Requests()))
		}
	}
	f.Cancel()
	wantError(t, result(t, f), processpool.ErrCanceled)
	origin.ClearFaults()
	origin.ResetRequests()
}

// resumed resumes b/k, and wants its bytes and nothing beside them.
func resumed(t *testing.T, d *processpool.Downloader, filename string, want []byte) processpool.Object {
	t.Helper()
	f := d.DownloadFile(t.Context(), "b", "k", filename, resume)
	if err := result(t, f); err != nil {
		t.Fatal(err)
	}
	wantContent(t, filename, want)
	leak.Files(t, filepath.Dir(filename), filepath.Base(filename))
	return f.Object()
}

func wantResumed(t *testing.T, o processpool.Object, want int64) {
	t.Helper()
	if o.Resumed != want {
		t.Errorf("Resumed: got %d bytes, want %d", o.Resumed, want)
	}
}

func TestResume(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 8*mib+1)
	origin.Put("b", "k", want)
	name := filepath.Join(dir, "file")
	d := single(t, origin, mib)
	interrupt(t, origin, d, name, 3*mib)
	leak.Files(t, dir, ".file.part", ".file.part.journal")

	o := resumed(t, d, name, want)
	wantResumed(t, o, 3*mib)
	if o.Verified != "CRC64NVME full object" {
		t.Errorf("Verified: got %q, want the proof of all bytes, kept and new", o.Verified)
	}
	wantRanges(t, origin, "bytes=3145728-4194303", "bytes=4194304-5242879", "bytes=5242880-6291455",
		"bytes=6291456-7340031", "bytes=7340032-8388607", "bytes=8388608-8388608")
	wantResumed(t, resumed(t, d, name, want), 0) // nothing is left to go on from
}

// Another size of ranges, another number of workers, and one in mid-range.
func TestResumeInAnotherWay(t *testing.T) {
	for _, c := range []struct{ chunk, workers int64 }{{mib / 2, 1}, {mib + 1, 3}, {64 * mib, 2}, {100_000, 5}} {
		t.Run(fmt.Sprintf("chunk=%d,workers=%d", c.chunk, c.workers), func(t *testing.T) {
			leak.Check(t)
			origin, dir := startOrigin(t), t.TempDir()
			want := s3test.PatternBytes(1, 5*mib+17)
			origin.Put("b", "k", want)
			interrupt(t, origin, single(t, origin, mib), filepath.Join(dir, "file"), 2*mib)
			d := newDownloader(t, origin, multipart(1, c.chunk), processes(int(c.workers)))
			wantResumed(t, resumed(t, d, filepath.Join(dir, "file"), want), 2*mib)
			if got, want := fetched(origin), int64(3*mib+17); got != want {
				t.Errorf("asked for %d bytes, want %d", got, want)
			}
		})
	}
}

// fetched is how many bytes were asked for.
func fetched(origin *s3test.Server) (n int64) {
	for _, r := range requests(origin, "GET") {
		var first, last int64
		if c, _ := fmt.Sscanf(r.Range, "bytes=%d-%d", &first, &last); c == 2 {
			n += last - first + 1
		}
	}
	return n
}

// What a worker had reported of its range is kept when the download is canceled, also
// where the object is one GET without a Range.
func TestResumeInMidRange(t *testing.T) {
	for _, threshold := range []int64{1, 64 * mib} {
		t.Run(fmt.Sprintf("threshold=%d", threshold), func(t *testing.T) {
			leak.Check(t)
			origin, dir := startOrigin(t), t.TempDir()
			want := s3test.PatternBytes(1, 3*mib)
			origin.Put("b", "k", want)
			// The delay is longer than a worker keeps progress to itself.
			origin.Inject(s3test.Fault{Method: "GET", Times: 1, Delay: 400 * time.Millisecond, Stall: true, StallAfter: mib + 1})
			d := newDownloader(t, origin, multipart(threshold, 3*mib), processes(1), unhurried)
			steps := make(chan processpool.Progress, 16)
			name := filepath.Join(dir, "file")
			f := d.DownloadFile(t.Context(), "b", "k", name, resume, func(o *processpool.DownloadOptions) {
				o.OnProgress = func(p processpool.Progress) { steps <- p }
			})
			for wait(t, steps, "the first MiB").BytesDone < mib {
			}
			f.Cancel()
			wantError(t, result(t, f), processpool.ErrCanceled)
			origin.ResetRequests()
			wantResumed(t, resumed(t, d, name, want), mib)
			wantRanges(t, origin, "bytes=1048576-3145727")
		})
	}
}

// Everything that S3 may keep of an object proves a resumed one as it does any other.
func TestResumeVerifies(t *testing.T) {
	content := s3test.PatternBytes(11, 1_000_001)
	for _, test := range stored {
		t.Run(test.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := startOrigin(t), t.TempDir()
			origin.Put("b", "k", content, test.put...)
			name := filepath.Join(dir, "file")
			d := newDownloader(t, origin, multipart(100_000, 100_000), processes(2))
			// The end never arrives, and all else does.
			stuck := origin.Inject(s3test.Fault{Method: "GET", Gate: make(chan struct{}), Match: func(r s3test.Request) bool {
				return covers(r.Range, 1_000_000)
			}})
			f := d.DownloadFile(t.Context(), "b", "k", name, resume)
			for deadline := time.Now().Add(patience); stuck.Hits() == 0 || f.Progress().BytesDone < lastRange(origin); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("not all but the last range has arrived: %+v", f.Progress())
				}
			}
			f.Cancel()
			wantError(t, result(t, f), processpool.ErrCanceled)
			origin.ClearFaults()
			f = d.DownloadFile(t.Context(), "b", "k", name, resume)
			if err := result(t, f); err != nil {
				t.Fatal(err)
			}
			wantContent(t, name, content)
			leak.Files(t, dir, "file")
			o := f.Object()
			if o.Verified != test.verified {
				t.Errorf("Verified: got %q, want %q", o.Verified, test.verified)
			}
			// Where the parts turn out to be others than they seemed, all is fetched again.
			seemed := strings.Contains(test.name, "seem")
			if (o.Resumed > 0) != (o.ETag != "" && !seemed) {
				t.Errorf("Resumed: got %d of an object with the ETag %q", o.Resumed, o.ETag)
			}
		})
	}
}

// lastRange is where the last range begins that was asked for.
func lastRange(origin *s3test.Server) (last int64) {
	for _, r := range requests(origin, "GET") {
		var first int64
		fmt.Sscanf(r.Range, "bytes=%d-", &first)
		last = max(last, first)
	}
	return last
}

// A digest of the whole object in one range cannot be gone on with; a change of what
// is verified in between does no harm.
func TestResumeWithAnotherVerify(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	want := s3test.PatternBytes(1, 400_000)
	modes := []processpool.VerifyMode{processpool.VerifyAuto, processpool.VerifyOff, processpool.VerifyRequired}
	downloaders := map[processpool.VerifyMode]*processpool.Downloader{}
	for _, mode := range modes {
		downloaders[mode] = single(t, origin, 100_000, verify(mode))
	}
	for _, put := range []string{"crc32c", "sha256"} {
		origin.Put("b", "k", want, s3test.WithChecksum(put, "FULL_OBJECT"))
		for _, first := range modes {
			for _, second := range modes {
				t.Run(fmt.Sprintf("%s,%v,%v", put, first, second), func(t *testing.T) {
					at := int64(200_000)
					if put == "sha256" && first == processpool.VerifyRequired {
						at = 0 // it is one range
					}
					name := filepath.Join(t.TempDir(), "file")
					interrupt(t, origin, downloaders[first], name, at)
					o := resumed(t, downloaders[second], name, want)
					if put == "sha256" && second == processpool.VerifyRequired {
						at = 0
					}
					wantResumed(t, o, at)
				})
			}
		}
	}
}

// An object that was overwritten between the two is downloaded from its beginning,
// and so is another of the same size.
func TestResumeOfAnotherObject(t *testing.T) {
	old, next := s3test.PatternBytes(1, 400_000), s3test.PatternBytes(2, 400_000)
	for name, change := range map[string]func(origin *s3test.Server){
		"overwritten": func(origin *s3test.Server) { origin.Put("b", "k", next) },
		"same bytes, later": func(origin *s3test.Server) {
			origin.Put("b", "k", old, func(o *s3test.Object) { o.LastModified = o.LastModified.Add(time.Hour) })
		},
		"longer": func(origin *s3test.Server) { origin.Put("b", "k", append(bytes.Clone(old), 1)) },
		"empty":  func(origin *s3test.Server) { origin.Put("b", "k", nil) },
		"same ETag, longer": func(origin *s3test.Server) {
			etag := origin.Put("b", "x", old).ETag
			origin.Put("b", "k", append(bytes.Clone(old), 1), func(o *s3test.Object) { o.ETag = etag })
		},
	} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := startOrigin(t), t.TempDir()
			origin.Put("b", "k", old)
			var log lines
			d := single(t, origin, 100_000, logged(&log))
			interrupt(t, origin, d, filepath.Join(dir, "file"), 300_000)
			change(origin)
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), resume)
			if err := result(t, f); err != nil {
				t.Fatal(err)
			}
			wantResumed(t, f.Object(), 0)
			got, err := origin.Client().GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
			if err != nil {
				t.Fatal(err)
			}
			defer got.Body.Close()
			var want bytes.Buffer
			if _, err := want.ReadFrom(got.Body); err != nil {
				t.Fatal(err)
			}
			wantContent(t, filepath.Join(dir, "file"), want.Bytes())
			leak.Files(t, dir, "file")
			if !strings.Contains(log.String(), "starting afresh") {
				t.Errorf("the log does not say that it started afresh: %s", &log)
			}
		})
	}
}

// lines is a log for more than one goroutine.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func logged(l *lines) func(*processpool.Config) {
	return func(c *processpool.Config) { c.Logger = slog.New(slog.NewTextHandler(l, nil)) }
}

// What is wrong with the two files costs what they had kept, at most, and never a
// byte of the result.
func TestResumeOfDamagedFiles(t *testing.T) {
	edit := func(suffix string, change func(p []byte) []byte) func(t *testing.T, name string) {
		return func(t *testing.T, name string) {
			p, err := os.ReadFile(name + suffix)
			if err == nil {
				err = os.WriteFile(name+suffix, change(p), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	flip := func(i int) func(p []byte) []byte {
		return func(p []byte) []byte {
			if i < 0 {
				i += len(p)
			}
			p[i] ^= 4
			return p
		}
	}
	remove := func(suffix string) func(t *testing.T, name string) {
		return func(t *testing.T, name string) {
			if err := os.Remove(name + suffix); err != nil {
				t.Fatal(err)
			}
		}
	}
	const part, journal = ".part", ".part.journal"
	leak.Check(t)
	origin := startOrigin(t)
	want := s3test.PatternBytes(1, 400_000)
	origin.Put("b", "k", want)
	d := single(t, origin, 100_000)
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, name string)
		kept   int64
	}{
		{"nothing", func(*testing.T, string) {}, 300_000},
		{"bit of the file", edit(part, flip(150_000)), 200_000},
		{"two bits of the file", edit(part, func(p []byte) []byte { return flip(299_999)(flip(0)(p)) }), 100_000},
		{"bit beyond what is kept", edit(part, flip(300_000)), 300_000},
		{"file gone", remove(part), 0},
		{"file shorter", edit(part, func(p []byte) []byte { return p[:300_000] }), 0},
		{"file longer", edit(part, func(p []byte) []byte { return append(p, 0) }), 0},
		{"file of zeros", edit(part, func(p []byte) []byte { return make([]byte, len(p)) }), 0},
		{"journal gone", remove(journal), 0},
		{"journal empty", edit(journal, func([]byte) []byte { return nil }), 0},
		{"journal foreign", edit(journal, func([]byte) []byte { return []byte("my own notes, which are longer than a header") }), 0},
		{"journal newer", edit(journal, func(p []byte) []byte { p[8] = 2; return p }), 0},
		{"journal's header damaged", edit(journal, flip(40)), 0},
		{"journal's last record damaged", edit(journal, flip(-1)), 200_000},
		{"journal torn", edit(journal, func(p []byte) []byte { return p[:len(p)-1] }), 200_000},
		{"journal torn at a record", edit(journal, func(p []byte) []byte { return p[:len(p)-32] }), 200_000},
		{"journal with more behind", edit(journal, func(p []byte) []byte { return append(p, make([]byte, 100)...) }), 300_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			interrupt(t, origin, d, filepath.Join(dir, "file"), 300_000)
			c.damage(t, filepath.Join(dir, ".file"))
			wantResumed(t, resumed(t, d, filepath.Join(dir, "file"), want), c.kept)
			if got := fetched(origin); got != 400_000-c.kept {
				t.Errorf("asked for %d bytes, want the %d that were not kept", got, 400_000-c.kept)
			}
		})
	}
}

// One at a time, of this process as of another; and the next one can as soon as the
// first has ended.
func TestResumeIsBusy(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Method: "GET", Gate: gate})
	d := newDownloader(t, origin)
	name := filepath.Join(dir, "file")
	first := d.DownloadFile(t.Context(), "b", "k", name, resume)
	arrive(t, origin, 1, "GET")
	wantError(t, download(t, d, "k", name, resume), processpool.ErrBusy)
	close(gate)
	if err := result(t, first); err != nil {
		t.Fatal(err)
	}
	for range 50 { // also while workers are started and have copies of everything
		f := d.DownloadFile(t.Context(), "b", "k", name, resume)
		f.Cancel()
		if err := result(t, f); !errors.Is(err, processpool.ErrCanceled) && err != nil {
			t.Fatal(err)
		}
	}
	resumed(t, d, name, content)
}

// HeadObject is asked for, though ExpectedSize is given, and the two are compared.
func TestResumeExpectedSize(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", content)
	d := newDownloader(t, origin)
	for _, off := range []int64{-1, 0, 1} {
		size := int64(len(content)) + off
		err := download(t, d, "k", filepath.Join(dir, "file"), resume, func(o *processpool.DownloadOptions) { o.ExpectedSize = &size })
		if off == 0 {
			if err != nil {
				t.Error(err)
			}
			leak.Files(t, dir, "file")
			continue
		}
		wantError(t, err, processpool.ErrSizeMismatch)
	}
	if n := len(requests(origin, "HEAD")); n != 3 {
		t.Errorf("got %d HeadObjects, want 3", n)
	}
}

func TestResumeOfAnEmptyObject(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", nil)
	wantResumed(t, resumed(t, newDownloader(t, origin), filepath.Join(dir, "file"), nil), 0)
}

// Where the bytes are known to be wrong, or not the object's any more, nothing is kept.
// Nor is it where there is nothing to keep.
func TestResumeKeepsNothing(t *testing.T) {
	data := s3test.PatternBytes(1, 400_000)
	for _, c := range []struct {
		name  string
		put   []func(*s3test.Object)
		fault s3test.Fault
		want  error
	}{
		{"bytes are wrong", nil, s3test.Fault{Flip: true, FlipAt: 123_456}, processpool.ErrChecksumMismatch},
		{"object changes", nil, s3test.Fault{Skip: 2, Do: func(s *s3test.Server, _ s3test.Request) { s.Put("b", "k", content) }}, processpool.ErrObjectChanged},
		{"no ETag", with(s3test.WithoutETag()), s3test.Fault{Skip: 2, Status: 403}, nil},
		{"weak ETag", with(func(o *s3test.Object) { o.ETag = `W/"1"` }), s3test.Fault{Skip: 2, Status: 403}, nil},
		{"nothing arrived", nil, s3test.Fault{Status: 403}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := startOrigin(t), t.TempDir()
			origin.Put("b", "k", data, c.put...)
			c.fault.Method = "GET"
			origin.Inject(c.fault)
			d := newDownloader(t, origin, multipart(1, 100_000), processes(1))
			err := download(t, d, "k", filepath.Join(dir, "file"), resume)
			wantError(t, err)
			if c.want != nil {
				wantError(t, err, c.want)
			}
			leak.Files(t, dir)
		})
	}
}

// Each system call on the partial file fails in its turn. The destination is as before,
// and what is left can be gone on with.
func TestResumeEverySystemCallFails(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	want := s3test.PatternBytes(1, 400_000)
	origin.Put("b", "k", want)
	d := single(t, origin, 50_000)
	for n := 0; ; n++ {
		dir := t.TempDir()
		name := filepath.Join(dir, "file")
		if n%2 == 1 { // those of one that goes on
			interrupt(t, origin, d, name, 200_000)
		}
		var mu sync.Mutex
		calls, failed := 0, ""
		restore := sink.SetFault(func(op, _ string) error {
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls == n/2+1 {
				failed = op
				return syscall.EIO
			}
			return nil
		})
		err := download(t, d, "k", name, resume)
		restore()
		if failed == "" && n >= 8 {
			if err != nil {
				t.Errorf("no call failed: got %v, want nil", err)
			}
			return
		}
		t.Run(fmt.Sprintf("n=%d,call=%s", n, failed), func(t *testing.T) {
			if err != nil {
				wantError(t, err, syscall.EIO)
				if _, err := os.Lstat(name); err == nil {
					t.Error("got a file at the destination")
				}
			}
			resumed(t, d, name, want)
		})
	}
}

// The names are the library's; what is there and no file is refused, and left.
func TestResumeNamesAreTaken(t *testing.T) {
	for _, suffix := range []string{".part", ".part.journal"} {
		t.Run(suffix, func(t *testing.T) {
			leak.Check(t)
			origin, dir := startOrigin(t), t.TempDir()
			origin.Put("b", "k", content)
			if err := os.Mkdir(filepath.Join(dir, ".file"+suffix), 0o755); err != nil {
				t.Fatal(err)
			}
			d := newDownloader(t, origin)
			wantError(t, download(t, d, "k", filepath.Join(dir, "file"), resume))
			leak.Files(t, dir, ".file"+suffix)
		})
	}
}

// Without Resume the two files are nobody's concern.
func TestWithoutResume(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 400_000)
	origin.Put("b", "k", want)
	name := filepath.Join(dir, "file")
	d := single(t, origin, 100_000)
	interrupt(t, origin, d, name, 300_000)
	if err := download(t, d, "k", name); err != nil {
		t.Fatal(err)
	}
	wantContent(t, name, want)
	leak.Files(t, dir, ".file.part", ".file.part.journal", "file")
	wantResumed(t, resumed(t, d, name, want), 300_000)
}

// Cancel is heard in each stage; whichever it is, the next download goes on.
func TestResumeCanceledAnywhere(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	want := s3test.PatternBytes(1, 400_000)
	origin.Put("b", "k", want)
	d := newDownloader(t, origin, multipart(1, 50_000))
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	for n := range 40 {
		ctx, cancel := context.WithCancel(t.Context())
		f := d.DownloadFile(ctx, "b", "k", name, resume, func(o *processpool.DownloadOptions) {
			o.OnProgress = func(p processpool.Progress) {
				if p.BytesDone >= int64(n)*10_000 {
					cancel()
				}
			}
		})
		err := result(t, f)
		cancel()
		if err != nil {
			wantError(t, err, processpool.ErrCanceled)
			continue
		}
		wantContent(t, name, want)
		leak.Files(t, dir, "file")
	}
	resumed(t, d, name, want)
}
