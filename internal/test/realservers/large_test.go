//go:build realservers && linux

package realservers

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool"
)

// TestLarge downloads a large object before, during and after the killing of workers.
func TestLarge(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		up := s.upload(t, "large", newContent(1, 200*mib), inParts)
		small := s.upload(t, "small", newContent(2, chunk+1), onePut)
		for _, c := range []struct {
			chunk   int64
			every   int64 // bytes between two kills
			most    int   // maximum number of kills
			atLeast int   // minimum number of lost workers; others are killed before they have started
		}{
			// A third kill could be the third lost worker of a range, which ends the download.
			{chunk: chunk, every: 64 * mib, most: 2, atLeast: 1},
			// A range is complete long before the next worker is killed.
			{chunk: mib, every: 24 * mib, most: 100, atLeast: 3},
		} {
			t.Run(fmt.Sprintf("chunk=%d/kills=%d", c.chunk, c.most), func(t *testing.T) {
				var j journal
				d := newDownloader(t, s, func(config *processpool.Config) {
					config.MultipartChunksize, config.Logger = c.chunk, j.logger()
				})
				fetch(t, d, up) // afterwards all workers are running
				k := &killer{t: t, server: s.pid, every: c.every, next: c.every / 2, most: c.most}
				o := fetch(t, d, up, func(o *processpool.DownloadOptions) { o.OnProgress = k.progress })
				if want := "CRC64NVME full object"; o.Verified != want {
					t.Errorf("verified: got %q, want %q", o.Verified, want)
				}
				lost := j.count("worker lost")
				t.Logf("%d workers killed, %d lost", k.killed, lost)
				if lost < c.atLeast || lost > k.killed {
					t.Errorf("%d workers killed, %d lost, want %d or more", k.killed, lost, c.atLeast)
				}
				fetch(t, d, small) // the pool still works
			})
		}
	}, plain)
}

// killer kills a worker each time that every bytes have arrived.
type killer struct {
	t      *testing.T
	server int // process id of the server, which is not killed
	every  int64
	next   int64
	most   int
	killed int
}

func (k *killer) progress(p processpool.Progress) {
	if k.killed == k.most || p.BytesDone < k.next {
		return
	}
	k.next = p.BytesDone + k.every
	workers := workers(k.t, k.server)
	if len(workers) == 0 {
		return // no worker is running at the moment
	}
	if syscall.Kill(workers[rand.N(len(workers))], syscall.SIGKILL) == nil {
		k.killed++
	}
}
