package failure_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/test/leak"
)

func TestKindOf(t *testing.T) {
	leak.Check(t)
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, c := range []struct {
		name string
		err  error
		want failure.Kind
	}{
		{"stalled", fmt.Errorf("%w (20s)", failure.ErrStalled), failure.KindStalled},
		{"unexpected", fmt.Errorf("%w: status 200", failure.ErrUnexpected), failure.KindUnexpected},
		{"SlowDown", answer(503, "SlowDown"), failure.KindThrottled},
		{"503 of a proxy", answer(503, ""), failure.KindThrottled},
		{"RequestLimitExceeded", answer(400, "RequestLimitExceeded"), failure.KindThrottled},
		{"interrupted", &failure.Interrupted{Err: io.ErrUnexpectedEOF}, failure.KindConnection},
		{"refused", sending(refused), failure.KindConnection},
		{"closed before the answer", sending(io.EOF), failure.KindConnection},
		{"500", answer(500, "InternalError"), failure.KindOther},
		{"ExpiredToken", answer(400, "ExpiredToken"), failure.KindOther},
		{"unknown", errors.New("x"), failure.KindOther},
	} {
		if got := failure.KindOf(c.err); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
