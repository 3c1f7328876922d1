package harness

import (
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/environ"
	"github.com/s3processpool/processpool/internal/fence"
	"github.com/s3processpool/processpool/internal/osfile"
	"github.com/s3processpool/processpool/internal/pool"
)

// environs are the environments of the tests that run, by *testing.T.
var environs sync.Map

// environOf returns the test's environment: no range is slow, the time of retries passes ten times
// as fast, a worker that makes a system call which its sandbox does not allow dies of it, and
// everything else is the default.
func environOf(t *testing.T) *environ.Environ {
	e := &environ.Environ{Files: new(osfile.System), Slow: time.Hour, Hurry: 10, Fence: fence.Pretend{Kill: true}}
	known, found := environs.LoadOrStore(t, e)
	if !found {
		t.Cleanup(func() { environs.Delete(t) })
	}
	return known.(*environ.Environ)
}

// Environ returns cfg with the environment of the test, as NewDownloader passes it on.
func Environ(t *testing.T, cfg aws.Config) aws.Config { return environOf(t).In(cfg) }

// Fault calls f before each system call on a temporary or partial file of the test's Downloaders,
// with the name of the call and the path. An error of f is the error of the call. The fault ends
// with restore, or with the test.
func Fault(t *testing.T, f func(op, path string) error) (restore func()) {
	restore = sync.OnceFunc(environOf(t).Files.SetFault(f))
	t.Cleanup(restore)
	return restore
}

// WritersWait sets how long a download waits until nobody has its file open for writing, for the
// Downloaders that the test makes from then on.
func WritersWait(t *testing.T, d time.Duration) { environOf(t).Files.Wait = d }

// SlowAfter sets the least time after which a range is slow, for the Downloaders that the test
// makes from then on.
func SlowAfter(t *testing.T, d time.Duration) { environOf(t).Slow = d }

// Pool sets the times of the pools of the Downloaders that the test makes from then on.
func Pool(t *testing.T, o pool.Options) {
	e := environOf(t)
	e.StartTimeout, e.StopTimeout, e.Heartbeat, e.CancelTimeout = o.StartTimeout, o.StopTimeout, o.Heartbeat, o.CancelTimeout
}

// Hurry makes the time of retries pass n times as fast, for the Downloaders that the test makes from
// then on: the pauses between attempts, and RetryTimeout. Without it, n is 10.
func Hurry(t *testing.T, n int) { environOf(t).Hurry = n }

// Pretend sets what the Downloaders that the test makes from then on believe of the system's
// sandbox.
func Pretend(t *testing.T, p fence.Pretend) { environOf(t).Fence = p }
