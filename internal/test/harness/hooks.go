package harness

import (
	"sync"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/pool"
	"github.com/s3processpool/processpool/internal/sink"
	"github.com/s3processpool/processpool/internal/tail"
)

// The hooks below change the library for the whole process. A test passes the *testing.T that it
// passes to NewDownloader, and calls SlowAfter and Pool before NewDownloader.

// Fault calls f before each system call on a temporary or partial file, with the name of the call
// and the path. An error of f is the error of the call. The fault ends with restore, or with the
// test.
func Fault(t *testing.T, f func(op, path string) error) (restore func()) {
	restore = sync.OnceFunc(sink.SetFault(f))
	t.Cleanup(restore)
	return restore
}

// SlowAfter sets the least time after which a range is slow, until the test ends.
func SlowAfter(t *testing.T, d time.Duration) { t.Cleanup(tail.SetLeast(d)) }

// neverSlow sets a time that no range of a test takes.
func neverSlow() { tail.SetLeast(time.Hour) }

// Pool sets the defaults of the pools that are made until the test ends.
func Pool(t *testing.T, o pool.Options) { t.Cleanup(pool.SetDefaults(o)) }
