package faults_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/disk"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// resumer URL FILE CHUNK DIRECT downloads b/k to the file with Resume, and prints the result.
func resumer(args []string) error {
	chunk, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	d, err := harness.NewProgramDownloader(args[0], harness.Multipart(chunk, chunk), func(c *processpool.Config) { c.DirectIO = args[3] == "true" })
	if err != nil {
		return err
	}
	f := d.DownloadFile(context.Background(), "b", "k", args[1], harness.Resume)
	if err := f.Result(); err != nil {
		return err
	}
	fmt.Println("resumed:", f.Object().Resumed, "verified:", f.Object().Verified)
	return d.Shutdown()
}

func init() { harness.Register("resumer", resumer) }

func startResumer(t *testing.T, origin *s3test.Server, filename string, chunk int64, direct bool) (*exec.Cmd, *strings.Builder) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "resumer", origin.URL(), filename, fmt.Sprint(chunk), fmt.Sprint(direct))
	out := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = out, out
	// A worker may hold standard error for a moment after the program is killed.
	cmd.WaitDelay = harness.Patience
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

// counted counts the bytes that are read from it, which are those that an origin sends.
type counted struct {
	io.ReaderAt
	n *atomic.Int64
}

func (c counted) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	c.n.Add(int64(n))
	return n, err
}

// memory returns a directory in memory where there is one. On a slow disk the cost of a kill would
// depend on the disk.
func memory(t *testing.T) string {
	t.Helper()
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		if dir, err := os.MkdirTemp("/dev/shm", "processpool-test-"); err == nil {
			t.Cleanup(func() { os.RemoveAll(dir) })
			return dir
		}
	}
	return t.TempDir()
}

// The whole program is killed at random moments, up to 32 times during one object, and each time another
// one resumes. A kill costs no more than the bytes in flight.
func TestResumeAfterKills(t *testing.T) {
	leak.Check(t)
	t.Run("memory", func(t *testing.T) { resumeAfterKills(t, memory(t), 32, 128<<10, false) })
	t.Run("direct", func(t *testing.T) {
		dir := filepath.Join(disk.Dir(t), "sub") // without lost+found
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		resumeAfterKills(t, dir, 12, 512<<10+5, true)
	})
}

func resumeAfterKills(t *testing.T, dir string, kills int, chunk int64, direct bool) {
	const workers, size = 2, 12*harness.MiB + 4711
	if harness.Raced {
		kills = 4 // programs start slowly with the race detector, and more kills would find no more
	}
	origin := harness.StartOrigin(t)
	var sent atomic.Int64
	origin.PutContent("b", "k", size, counted{s3test.Pattern(1), &sent}, s3test.WithChecksum("crc64nvme", "FULL_OBJECT"))
	sent.Store(0)
	origin.Inject(s3test.Fault{Method: "GET", Trickle: 5 * time.Millisecond, TrickleBytes: 16 << 10})
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("RESUME_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	random := rand.New(rand.NewPCG(seed, 0))
	name := filepath.Join(dir, "file")
	n := 0
	// The object must last for one more run, which may ask for five ranges.
	for ; n < kills && sent.Load() < size-6*chunk; n++ {
		origin.ResetRequests()
		cmd, out := startResumer(t, origin, name, chunk, direct)
		// Without a GET the program is killed before it asks for a byte, or while it reads ranges
		// back.
		gets := random.IntN(6)
		if n == 0 && harness.Raced {
			gets = 10 // so that something is kept, whatever the moments of the few others are
		}
		if gets > 0 {
			harness.Arrive(t, origin, gets, "GET")
		} else {
			harness.Arrive(t, origin, 1, "HEAD")
		}
		time.Sleep(time.Duration(random.Int64N(int64(30 * time.Millisecond)))) // a random moment; the test waits for nothing
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		if out.Len() > 0 {
			t.Fatalf("seed %d, run %d ended before it was killed: %s", seed, n, out)
		}
		if _, err := os.Lstat(name); err == nil {
			t.Fatalf("seed %d, run %d: a file is at the destination before it is whole", seed, n)
		}
	}
	if n < min(kills, 4) {
		t.Errorf("seed %d: the program was killed only %d times", seed, n)
	}
	before := sent.Load()
	cmd, out := startResumer(t, origin, name, chunk, direct)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("seed %d: %v: %s", seed, err, out)
	}
	if !strings.HasPrefix(out.String(), "resumed: ") || strings.HasPrefix(out.String(), "resumed: 0 ") || !strings.HasSuffix(out.String(), "CRC64NVME full object\n") {
		t.Errorf("seed %d: the last run says %q", seed, out)
	}
	harness.WantContent(t, name, s3test.PatternBytes(1, size))
	leak.Files(t, dir, "file")
	got, most := sent.Load(), int64(size)+int64(n*workers)*chunk
	if got > most {
		t.Errorf("seed %d: %d bytes were sent, want at most %d", seed, got, most)
	}
	t.Logf("seed %d: %d bytes sent for %d (%d by the last run), at most %d allowed", seed, got, size, got-before, most)
}

// A disk that becomes full ends the download. With more space the download resumes.
func TestResumeAfterDiskIsFull(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), smallDisk(t)
	const size = 2 * harness.MiB
	origin.PutContent("b", "k", size, s3test.Pattern(1))
	d := harness.NewDownloader(t, origin, harness.Multipart(harness.MiB/8, harness.MiB/8), harness.Processes(1))
	restore := harness.Fault(t, func(op, _ string) error {
		if op == "fallocate" {
			return syscall.EOPNOTSUPP // so that space is allocated only as it is needed
		}
		return nil
	})
	name := filepath.Join(dir, "file")
	harness.WantError(t, harness.Download(t, d, "k", name, harness.Resume), syscall.ENOSPC)
	restore()
	leak.Files(t, dir, ".file.part", ".file.part.journal")
	harness.WantError(t, harness.Download(t, d, "k", name, harness.Resume), syscall.ENOSPC) // the free space is checked before the first GET now
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	f := d.DownloadFile(t.Context(), "b", "k", name, harness.Resume)
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, name, s3test.PatternBytes(1, size))
	if f.Object().Resumed < harness.MiB/2 {
		t.Errorf("Resumed: got %d, want most of the MiB there was room for", f.Object().Resumed)
	}
}

// A worker is killed while it reads a kept range, and another worker reads the range.
func TestResumeWorkerKilledOverAKeptRange(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 400_000)
	origin.Put("b", "k", want)
	name := filepath.Join(dir, "file")
	d := harness.Single(t, origin, 100_000)
	harness.Interrupt(t, origin, d, name, 300_000)
	stopped := make(chan struct{})
	harness.Fault(t, func(op, _ string) error {
		if op == "reopen" { // after HeadObject, before the first range is read
			harness.SignalWorkers(t, syscall.SIGSTOP)
			close(stopped)
		}
		return nil
	})
	f := d.DownloadFile(t.Context(), "b", "k", name, harness.Resume)
	harness.Wait(t, stopped, "the partial file to be opened")
	harness.SignalWorkers(t, syscall.SIGKILL)
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	harness.WantContent(t, name, want)
	harness.WantResumed(t, f.Object(), 300_000)
}

// No worker has a descriptor of the journal: its lock must end with the application.
func TestResumeJournalStaysHere(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 400_000)
	origin.Put("b", "k", want)
	gate := make(chan struct{})
	origin.Inject(s3test.Fault{Method: "GET", Gate: gate})
	d := harness.NewDownloader(t, origin, harness.Multipart(1, 100_000))
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), harness.Resume)
	harness.Arrive(t, origin, 2, "GET")
	partials := 0
	for _, pid := range harness.Children(t, os.Getpid()) {
		links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, link := range links {
			target, _ := os.Readlink(link)
			if strings.HasSuffix(target, ".journal") {
				t.Errorf("a worker has %s open", target)
			}
			if strings.HasSuffix(target, ".part") {
				partials++
			}
		}
	}
	if partials != 2 {
		t.Errorf("got %d workers with the partial file, want 2", partials)
	}
	close(gate)
	if err := harness.Result(t, f); err != nil {
		t.Error(err)
	}
}

// A power loss. The partial file holds only what the fdatasync before had written, and the journal
// is complete. Every record of the journal must hold, and the download resumes.
func TestResumeAfterPowerLoss(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	want := s3test.PatternBytes(1, 4*harness.MiB)
	origin.Put("b", "k", want)
	// Eight ranges at a time wait for one more fdatasync, however slow the disk is.
	var asked, synced atomic.Int64
	origin.Inject(s3test.Fault{Method: "GET", Do: func(*s3test.Server, s3test.Request) {
		least := (asked.Add(1) - 1) / 8
		for deadline := time.Now().Add(harness.Patience); synced.Load() < least && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
	}})
	name := filepath.Join(dir, "file")
	type image struct{ file, journal []byte }
	var images []image
	var disk []byte // what the last fdatasync that returned found in the file
	restore := harness.Fault(t, func(op, path string) error {
		if op != "fdatasync" { // the library makes one at a time
			return nil
		}
		log, err := os.ReadFile(path + ".journal")
		if err != nil {
			return err
		}
		images = append(images, image{disk, log})
		disk, err = os.ReadFile(path)
		synced.Add(1)
		return err
	})
	d := harness.NewDownloader(t, origin, harness.Multipart(64<<10, 64<<10))
	err := harness.Download(t, d, "k", name, harness.Resume)
	restore()
	if err != nil {
		t.Fatal(err)
	}
	origin.ClearFaults()
	if len(images) < 7 {
		t.Fatalf("got %d fdatasyncs, want one for each eight ranges", len(images))
	}
	for i, crash := range images[1:] {
		if i%max(len(images)/8, 1) != 0 {
			continue // each costs a download
		}
		dir := t.TempDir()
		name := filepath.Join(dir, "file")
		if err := os.WriteFile(filepath.Join(dir, ".file.part"), crash.file, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, ".file.part.journal"), crash.journal, 0o600); err != nil {
			t.Fatal(err)
		}
		var log harness.Log
		origin.ResetRequests()
		d := harness.NewDownloader(t, origin, harness.Multipart(64<<10, 64<<10), log.Config)
		o := harness.Resumed(t, d, name, want)
		if strings.Contains(log.String(), "is fetched again") {
			t.Errorf("crash %d: a record does not hold: %s", i, &log)
		}
		if o.Resumed+harness.Fetched(origin) != int64(len(want)) {
			t.Errorf("crash %d: kept %d bytes and fetched %d, want %d in all", i, o.Resumed, harness.Fetched(origin), len(want))
		}
		harness.Shutdown(t, d)
	}
}
