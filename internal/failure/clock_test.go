package failure_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/failure"
)

// TestNameClock: the error says how far the clock is off, if the answer tells.
func TestNameClock(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{signed(answer(403, "RequestTimeTooSkewed"), time.Hour), "the clock of this machine is off by 1h0m0s: "},
		{signed(answer(403, "Forbidden"), -25*time.Hour), "the clock of this machine is off by 25h0m0s: "},
		{answer(403, "RequestTimeTooSkewed"), "the clock of this machine is off: "},
		{signed(answer(403, "AccessDenied"), time.Minute), ""},
		{answer(403, "Forbidden", "Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)), "the clock of this machine is off by 1h0m0s: "},
		{answer(403, "AccessDenied", "Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)), ""},
		{answer(404, "NotFound", "Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)), ""},
		{errors.New("x"), ""},
		{answer(403, "RequestTimeTooSkewed", "Date", time.Now().UTC().Format(http.TimeFormat)), "the clock of this machine is off: "},
	} {
		got := failure.NameClock(c.err)
		if c.want == "" && got != c.err || !strings.HasPrefix(got.Error(), c.want) || !errors.Is(got, c.err) {
			t.Errorf("got %v, want %q", got, c.want)
		}
	}
}
