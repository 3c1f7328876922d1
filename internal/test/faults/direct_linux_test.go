package faults_test

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/disk"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A range that breaks off in the middle of a page goes on there, and the bytes are right.
func TestDirectIOFaults(t *testing.T) {
	content := s3test.PatternBytes(1, 5*harness.MiB+3)
	for name, fault := range map[string]s3test.Fault{
		"cut in a page":        {Cut: true, CutAfter: harness.MiB/2 + 77},
		"cut at a page's end":  {Cut: true, CutAfter: harness.MiB / 2},
		"cut in the last page": {Cut: true, CutAfter: harness.MiB - 1},
		"trickle":              {TrickleBytes: 5000},
		"killed":               {Stall: true, StallAfter: harness.MiB/2 + 1},
	} {
		for _, resume := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,resume=%t", name, resume), func(t *testing.T) {
				leak.Check(t)
				origin, dir := harness.StartOrigin(t), t.TempDir()
				disk.Ext4(t, dir, "extents")
				origin.Put("b", "k", content)
				fault.Method, fault.Times = "GET", 2
				origin.Inject(fault)
				d := harness.NewDownloader(t, origin, harness.Multipart(harness.MiB, harness.MiB), harness.Processes(1), harness.Unhurried, harness.DirectIO)
				file := filepath.Join(dir, "file")
				f := d.DownloadFile(t.Context(), "b", "k", file, func(o *processpool.DownloadOptions) { o.Resume = resume })
				if fault.Stall {
					for n := 1; n <= 2; n++ {
						harness.Arrive(t, origin, n, "GET")
						harness.SignalWorkers(t, syscall.SIGKILL)
					}
				}
				if err := harness.Result(t, f); err != nil {
					t.Fatal(err)
				}
				harness.WantContent(t, file, content)
				if got := f.Object().Direct; got < harness.MiB {
					t.Errorf("only %d bytes went direct", got)
				}
			})
		}
	}
}

// A disk that becomes full fails the download as without DirectIO.
func TestDirectIODiskFull(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	disk.Ext4(t, dir, "extents")
	origin.Put("b", "k", s3test.PatternBytes(1, 20*harness.MiB))
	d := harness.NewDownloader(t, origin, harness.DirectIO)
	harness.Fault(t, func(op, _ string) error {
		if op == "fallocate" {
			return syscall.EOPNOTSUPP // so that only the writes find out
		}
		return nil
	})
	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")), syscall.ENOSPC)
	leak.Files(t, dir, "lost+found")
}

// A range that is taken back from a slow connection goes on where it stood, in the middle of a page or
// not, and what is shared out goes direct again.
func TestDirectIOSlowRange(t *testing.T) {
	content := s3test.PatternBytes(1, 16*harness.MiB)
	for _, after := range []int64{0, harness.MiB + 1, 4*harness.MiB - 1} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), disk.Dir(t)
			origin.Put("b", "k", content)
			// The delay makes the worker report its first MiB at once.
			origin.Inject(s3test.Fault{Range: lastOf16MiB, Times: 1, Delay: 200 * time.Millisecond, Stall: true, StallAfter: after})
			d := newSlowDownloader(t, origin)
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) { o.DirectIO = true })
			if err := harness.Result(t, f); err != nil {
				t.Fatal(err)
			}
			harness.WantContent(t, filepath.Join(dir, "file"), content)
			wantSlow(t, d)
			if got := f.Object().Direct; got < 12*harness.MiB {
				t.Errorf("only %d bytes went direct", got)
			}
		})
	}
}
