package fetch_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// TestClockIsOff: a request that was signed with a wrong time is repeated at once with the time of
// the answer. A HEAD's refusal does not tell why.
func TestClockIsOff(t *testing.T) {
	leak.Check(t)
	origin := startOrigin(t)
	o := putObject(origin, 100)
	for _, ahead := range []time.Duration{time.Hour, -time.Hour} {
		date := map[string]string{"Date": time.Now().Add(ahead).UTC().Format(http.TimeFormat)}
		strict := s3test.Fault{
			Status: 403, Code: "RequestTimeTooSkewed", Header: date,
			Match: func(r s3test.Request) bool {
				signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
				return err != nil || time.Now().Add(ahead).Sub(signed).Abs() > 15*time.Minute
			},
		}
		for name, ask := range questions(o) {
			if name == "attributes" {
				continue // of an object without parts
			}
			t.Run(fmt.Sprintf("%s,ahead=%v", name, ahead), func(t *testing.T) {
				origin.ClearFaults()
				origin.ResetRequests()
				origin.Inject(strict)
				origin.Inject(s3test.Fault{Header: date})
				c := newClient(t, origin, attempts(1))
				retries := 0
				if err := ask(t.Context(), c, func(_ int, wait time.Duration, _ error) {
					if retries++; wait != 0 {
						t.Errorf("got a pause of %v", wait)
					}
				}); err != nil {
					t.Error(err)
				}
				if retries != 1 {
					t.Errorf("got %d retries, want 1", retries)
				}
				wantCount(t, origin, 2)
				if err := ask(t.Context(), c, nil); err != nil { // the clock stays corrected
					t.Error(err)
				}
				wantCount(t, origin, 3)
			})
			t.Run(fmt.Sprintf("%s,ahead=%v,uncorrected", name, ahead), func(t *testing.T) {
				origin.ClearFaults()
				origin.ResetRequests()
				origin.Inject(strict)
				c := newClient(t, origin, func(s *settings.Settings) { s.Client.DisableClockSkewCorrection = true })
				err := ask(t.Context(), c, nil)
				if err == nil || !strings.Contains(err.Error(), "the clock of this machine is off by 1h0m0s: ") {
					t.Errorf("got %v, want that the clock is off", err)
				}
				wantCount(t, origin, 2)
			})
		}
	}
	// What stays a refusal, although it was signed with the time of the answer: a GetObject asks why.
	origin.ClearFaults()
	origin.ResetRequests()
	origin.Inject(s3test.Fault{Status: 403, Code: "RequestTimeTooSkewed", Header: map[string]string{"Date": time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)}})
	err := questions(o)["HEAD"](t.Context(), newClient(t, origin), nil)
	if err == nil || !strings.Contains(err.Error(), "the clock of this machine is off by 1h0m0s: ") {
		t.Errorf("got %v, want that the clock is off", err)
	}
	wantCount(t, origin, 3)
	// A refusal for another reason, by a server whose clock is the same.
	origin.ClearFaults()
	origin.ResetRequests()
	origin.Inject(s3test.Fault{Status: 403})
	err = questions(o)["HEAD"](t.Context(), newClient(t, origin), nil)
	if err == nil || strings.Contains(err.Error(), "clock") {
		t.Errorf("got %v, want a refusal without the clock", err)
	}
	wantCount(t, origin, 2)
}
