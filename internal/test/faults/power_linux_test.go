package faults_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/journal"
	"github.com/s3processpool/processpool/internal/test/disk"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Each power cut takes a fifth of a second: by default there are a few.
var everyCut = flag.Bool("power.all", false, "cut the power at each request and system call")

// cutNow reports whether the power is cut at the nth occasion.
func cutNow(n int64) bool { return *everyCut || n%4 == 0 }

// powerCases runs a test for each file system, with and without DirectIO.
func powerCases(t *testing.T, test func(t *testing.T, dir string, p *disk.Power, direct func(*processpool.Config))) {
	for name, image := range map[string]disk.Image{"ext4": disk.NewExt4("extents", 32*harness.MiB), "xfs": disk.XfsSmall} {
		for _, direct := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,direct=%t", name, direct), func(t *testing.T) {
				leak.Check(t)
				dir := t.TempDir()
				test(t, dir, image.MountPower(t, dir), func(c *processpool.Config) { c.DirectIO = direct })
			})
		}
	}
}

// left is what a power cut leaves of the writes that were not flushed, in percent, by turns.
var left = []int{0, 50, 100, 90}

// powerSeed returns a number that a test says when it fails. POWER_SEED sets it.
func powerSeed(t *testing.T) uint64 {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("POWER_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("POWER_SEED=%d", seed)
	return seed
}

// Whenever the power is cut, what the journal says is in the partial file, and the download goes on from
// there.
func TestPowerCutResume(t *testing.T) {
	const size, chunk = 5*harness.MiB + 777, 300_001
	content := s3test.PatternBytes(3, size)
	powerCases(t, func(t *testing.T, dir string, p *disk.Power, direct func(*processpool.Config)) {
		seed := powerSeed(t)
		origin, other := harness.StartOrigin(t), harness.StartOrigin(t)
		modified := time.Unix(1e9, 0)
		for _, o := range []*s3test.Server{origin, other} {
			o.Put("b", "k", content, s3test.WithChecksum("crc64nvme", "FULL_OBJECT"), func(o *s3test.Object) { o.LastModified = modified })
		}
		d := harness.NewDownloader(t, origin, direct, harness.Multipart(1, chunk))
		again := harness.NewDownloader(t, other, direct, harness.Multipart(1, chunk))
		var cuts, records atomic.Int64
		origin.Inject(s3test.Fault{Method: "GET", Do: func(*s3test.Server, s3test.Request) {
			n := cuts.Add(1)
			if !cutNow(n) {
				return
			}
			after, release := p.Cut(t, seed+uint64(n), left[n/4%int64(len(left))])
			defer release()
			name := filepath.Join(after, "file")
			if _, err := os.Lstat(name); err == nil {
				t.Errorf("cut %d: there is a file before it is complete", n)
			}
			found, sum := recorded(t, name, content)
			records.Add(int64(found))
			if t.Failed() || n%8 != 0 || found == 0 {
				return
			}
			f := again.DownloadFile(t.Context(), "b", "k", name, harness.Resume)
			if err := harness.Result(t, f); err != nil {
				t.Errorf("cut %d: %v", n, err)
			}
			harness.WantContent(t, name, content)
			harness.WantResumed(t, f.Object(), sum)
		}})
		f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), harness.Resume)
		if err := harness.Result(t, f); err != nil {
			t.Fatal(err)
		}
		harness.WantContent(t, filepath.Join(dir, "file"), content)
		t.Logf("%d occasions, %d records, %d of %d bytes went direct", cuts.Load(), records.Load(), f.Object().Direct, size)
		if records.Load() == 0 {
			t.Error("no record had reached the disk at any power cut")
		}
	})
}

// recorded holds the partial file of a download against what its journal says. It returns the number of
// records, and of the bytes that they are of.
func recorded(t *testing.T, name string, content []byte) (records int, total int64) {
	t.Helper()
	j, err := journal.OpenExisting(filepath.Join(filepath.Dir(name), ".file.part.journal"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, journal.ErrForeign) {
		return 0, 0
	}
	if err != nil {
		t.Error(err)
		return 0, 0
	}
	defer j.Close()
	_, found, err := j.Read()
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, journal.ErrForeign) && !errors.Is(err, journal.ErrDamaged) {
		t.Error(err)
	}
	if len(found) == 0 {
		return 0, 0
	}
	got, err := os.ReadFile(filepath.Join(filepath.Dir(name), ".file.part"))
	if err != nil {
		t.Errorf("a journal with %d records: %v", len(found), err)
		return 0, 0
	}
	for _, r := range found {
		if r.End() > int64(len(got)) || !bytes.Equal(got[r.Offset:r.End()], content[r.Offset:r.End()]) {
			t.Errorf("the %d bytes at %d are not in the file, which has %d, but the journal says so: %s",
				r.Length, r.Offset, len(got), difference(got, content, r.Offset, r.End()))
		}
		total += r.Length
	}
	return len(found), total
}

// difference says where got is not as want between two offsets, and how.
func difference(got, want []byte, from, to int64) string {
	first, last, zeros, n := int64(-1), int64(-1), 0, 0
	for at := from; at < min(to, int64(len(got))); at++ {
		if got[at] == want[at] {
			continue
		}
		if first < 0 {
			first = at
		}
		last = at
		n++
		if got[at] == 0 {
			zeros++
		}
	}
	return fmt.Sprintf("%d bytes differ, from %d to %d, %d of them zeros", n, first, last, zeros)
}

// What is kept when a download has ended without success survives a power cut of a disk that loses all
// that was not flushed.
func TestPowerCutKept(t *testing.T) {
	const size, chunk = 3*harness.MiB + 777, 300_001
	content := s3test.PatternBytes(3, size)
	powerCases(t, func(t *testing.T, dir string, p *disk.Power, direct func(*processpool.Config)) {
		origin := harness.StartOrigin(t)
		origin.Put("b", "k", content)
		d := harness.Single(t, origin, chunk, direct)
		harness.Interrupt(t, origin, d, filepath.Join(dir, "file"), 7*chunk)
		after, release := p.Cut(t, 1, 0)
		defer release()
		name := filepath.Join(after, "file")
		f := d.DownloadFile(t.Context(), "b", "k", name, harness.Resume)
		if err := harness.Result(t, f); err != nil {
			t.Fatal(err)
		}
		harness.WantContent(t, name, content)
		harness.WantResumed(t, f.Object(), 7*chunk)
	})
}

// With Durable, the destination has the old content or the new one after a power cut, at any time, and
// the new one after success.
func TestPowerCutDurable(t *testing.T) {
	const size, chunk = 2*harness.MiB + 777, 300_001
	content, old := s3test.PatternBytes(3, size), s3test.PatternBytes(4, 100_000)
	powerCases(t, func(t *testing.T, dir string, p *disk.Power, direct func(*processpool.Config)) {
		seed := powerSeed(t)
		origin := harness.StartOrigin(t)
		origin.Put("b", "k", old)
		d := harness.NewDownloader(t, origin, direct, harness.Durable, harness.Multipart(1, chunk))
		name := filepath.Join(dir, "file")
		if err := harness.Download(t, d, "k", name); err != nil {
			t.Fatal(err)
		}
		var cuts atomic.Int64
		check := func(when string, percent int, want ...[]byte) {
			n := cuts.Add(1)
			if promised := when == "after success" && percent == 0; !promised && !cutNow(n) {
				return
			}
			after, release := p.Cut(t, seed+uint64(n), percent)
			defer release()
			got, err := os.ReadFile(filepath.Join(after, "file"))
			for _, w := range want {
				if bytes.Equal(got, w) {
					return
				}
			}
			t.Errorf("cut %d, %s: the file has %d bytes that are neither the old nor the new ones, %v", n, when, len(got), err)
		}
		check("after the first download", 0, old)
		origin.Put("b", "k", content)
		harness.Fault(t, func(op, _ string) error {
			want := [][]byte{old}
			if op == "syncdir" { // the rename may have reached the disk, and must not have done so yet
				want = append(want, content)
			}
			check("before "+op, left[cuts.Load()/4%int64(len(left))], want...)
			return nil
		})
		f := d.DownloadFile(t.Context(), "b", "k", name)
		if err := harness.Result(t, f); err != nil {
			t.Fatal(err)
		}
		for _, percent := range left {
			check("after success", percent, content)
		}
	})
}
