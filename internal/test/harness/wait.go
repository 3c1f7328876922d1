package harness

import (
	"context"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Patience is how long a test waits for an event that must happen. It measures no speed: only a
// hang takes that long.
const Patience = 2 * time.Minute

// Wait receives from c. It ends the test when nothing arrives within Patience.
func Wait[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(Patience):
		t.Fatalf("still waiting for %s after %v", what, Patience)
		panic("not reached")
	}
}

// Arrive waits until n requests with this method ("" means any) have reached the origin.
func Arrive(t *testing.T, origin *s3test.Server, n int, method string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	match := func(r s3test.Request) bool { return method == "" || r.Method == method }
	if err := origin.WaitRequests(ctx, n, match); err != nil {
		t.Fatalf("waiting for %d %s requests: %v; got %d requests", n, method, err, len(origin.Requests()))
	}
}

// Reach waits until a request that matches has reached the origin.
func Reach(t *testing.T, origin *s3test.Server, match func(s3test.Request) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	if err := origin.WaitRequests(ctx, 1, match); err != nil {
		t.Fatal(err)
	}
}

// IsDone reports whether a Future or a Directory has ended.
func IsDone(f interface{ Done() <-chan struct{} }) bool {
	select {
	case <-f.Done():
		return true
	default:
		return false
	}
}
