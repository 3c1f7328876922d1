//go:build linux

package chaos

import (
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/pool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

const bucket = "chaos"

// hurry makes the pauses between attempts shorter, and RetryTimeout.
const hurry = 5

// deadline is the maximum time of a run. Only a hang takes that long.
const deadline = time.Minute

// run is the execution of a plan.
type run struct {
	*testing.T
	plan   *plan
	origin *s3test.Server
	d      *processpool.Downloader
	log    *journal
	count  *figures

	attempts *attempts
	triggers map[int][]func() // by number of the request
	blows    sync.WaitGroup
	lethal   atomic.Int32
	serial   atomic.Uint64 // number of the latest content
	token    atomic.Int32  // number of the current session token
	shutting chan struct{} // closed when Shutdown is called early
	hung     atomic.Bool   // the test has ended before the run
}

// Errorf reports an error, unless the test has ended.
func (r *run) Errorf(format string, args ...any) {
	r.Helper()
	if !r.hung.Load() {
		r.T.Errorf(format, args...)
	}
}

func perform(t *testing.T, p *plan, count *figures) {
	r := &run{T: t, plan: p, log: &journal{}, count: count, triggers: map[int][]func(){}, shutting: make(chan struct{}), attempts: newAttempts()}
	clean := false
	t.Cleanup(func() {
		if clean && t.Failed() {
			count.Leftovers++
		}
		if t.Failed() {
			t.Logf("go test ./internal/test/chaos -run Chaos -chaos.runs 1 -chaos.seed %d\n%v\n%s", p.seed, p, r.log.tail())
		}
	})
	leak.Check(t)
	harness.Pool(t, pool.Options{
		Heartbeat: 250 * time.Millisecond, StartTimeout: 15 * time.Second, StopTimeout: 3 * time.Second,
	})
	harness.SlowAfter(t, p.slow)
	r.origin = s3test.Start(func(o *s3test.Options) { o.TLS = p.tls })
	t.Cleanup(r.origin.Close)

	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.all()
	}()
	timer := time.NewTimer(deadline)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
		count.Hangs++
		r.hung.Store(true)
		t.Fatalf("seed %d hangs:\n%s", p.seed, stacks())
	}
	clean = !t.Failed()
}

func (r *run) all() {
	p := r.plan
	r.prepare()
	mend := harness.Fault(r.T, r.systemCall)
	r.origin.OnRequest(func(q s3test.Request) {
		for _, trigger := range r.triggers[q.Seq] {
			trigger()
		}
	})
	r.submit()
	for _, t := range p.transfers {
		t.future.Result()
	}
	if p.tree != nil {
		p.tree.all.Result()
	}
	r.origin.OnRequest(nil)
	r.blows.Wait()
	mend()
	r.origin.ClearFaults()
	for _, t := range p.transfers {
		t.struck = t.strikes()
		r.judge(t)
		r.judgeAttempts(t)
	}
	if p.tree != nil {
		p.tree.judge(r)
	}
	if p.shutdown == 0 {
		r.next()
		for _, t := range p.transfers {
			t.resumeAgain(r)
		}
	}
	r.signalAll(syscall.SIGCONT)
	if err := r.d.Shutdown(); err != nil {
		r.Errorf("Shutdown: %v", err)
	}
	r.count.faults("slow ranges taken back", int(r.d.Stats().Retries.Slow))
	if pids := children(); len(pids) > 0 {
		r.Errorf("child processes %v after Shutdown", pids)
	}
	for _, t := range p.transfers {
		if !r.Failed() {
			r.judgeFiles(t)
		}
	}
}

// prepare stores the objects, injects the faults and creates the Downloader.
func (r *run) prepare() {
	p := r.plan
	r.origin.CreateBucket(bucket)
	for _, t := range p.transfers {
		if t.pinned {
			r.origin.SetVersioning(bucket, true)
		}
	}
	for _, t := range p.transfers {
		t.prepare(r)
	}
	if p.tree != nil {
		p.tree.prepare(r)
	}
	for _, b := range p.blows {
		r.at(b.at, func() { r.strike(b) })
	}
	if p.outage != nil {
		r.at(p.outage.at, func() { p.outage.begin(r) })
	}
	if p.shutdown > 0 {
		r.at(p.shutdown, func() {
			close(r.shutting)
			r.count.fault("Shutdown")
			r.blows.Go(func() { r.d.Shutdown() })
		})
	}
	cfg := r.origin.Config()
	if p.tokens {
		r.renew()
		cfg.Credentials = aws.CredentialsProviderFunc(r.credentials)
	}
	var err error
	harness.Hurry(r.T, hurry)
	r.d, err = processpool.NewDownloader(harness.Environ(r.T, cfg), func(c *processpool.Config) {
		c.MultipartThreshold, c.MultipartChunksize = p.threshold, p.chunk
		c.MaxRequestProcesses, c.RequestsPerProcess = p.processes, p.requests
		c.MaxAttempts, c.StallTimeout = p.attempts, p.stall
		if p.outage == nil {
			c.RetryTimeout = 0
		}
		c.Verify, c.Durable, c.CABundle = p.verify, p.durable, r.origin.CAPEM()
		c.DirectIO = p.direct
		c.ClientOptions = append(c.ClientOptions, r.origin.ClientOptions())
		if p.told {
			c.OnAttempt = r.told
		}
		c.Logger = slog.New(slog.NewTextHandler(r.log, nil))
	})
	if err != nil {
		panic(err)
	}
}

// at makes the run call fn when its n-th request arrives.
func (r *run) at(n int, fn func()) { r.triggers[n] = append(r.triggers[n], fn) }

// submit starts the downloads, some of them while others are running.
func (r *run) submit() {
	var early, late sync.WaitGroup
	idle := make(chan struct{}) // closed when the early downloads have ended
	if r.plan.tree != nil {
		r.plan.tree.submit(r)
	}
	for _, t := range r.plan.transfers {
		if t.after == 0 {
			t.submit(r)
			early.Go(func() { t.future.Result() })
			continue
		}
		late.Go(func() {
			select {
			case <-t.due:
			case <-idle:
			}
			t.submit(r)
		})
	}
	early.Wait()
	close(idle)
	late.Wait()
}

// systemCall forwards a system call on a temporary file to the download that owns the file.
func (r *run) systemCall(op, path string) error {
	for _, t := range r.plan.transfers {
		if filepath.Dir(path) == t.dir {
			return t.systemCall(op)
		}
	}
	return nil
}
