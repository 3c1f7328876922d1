package fetch_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/fetch"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// TestNames: a name that does not exist is an error at once, unless it did exist before; faults of
// the resolver are always retried.
func TestNames(t *testing.T) {
	leak.Check(t)
	missing := &net.DNSError{Err: "no such host", Name: "s3.test", IsNotFound: true}
	for _, c := range []struct {
		name  string
		fault error
		known bool // the name has been resolved before
		times int32
		want  error // nil: success
	}{
		{"NXDOMAIN", missing, false, 1, missing},
		{"NXDOMAIN once, of a known name", missing, true, 1, nil},
		{"NXDOMAIN, of a known name", missing, true, 1000, failure.ErrRetriesExceeded},
		{"SERVFAIL", &net.DNSError{Err: "server misbehaving", IsTemporary: true}, false, 2, nil},
		{"timeout", &net.DNSError{Err: "i/o timeout", IsTimeout: true}, false, 2, nil},
		{"SERVFAIL for good", &net.DNSError{Err: "server misbehaving", IsTemporary: true}, false, 1000, failure.ErrRetriesExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			origin := startOrigin(t)
			o := putObject(origin, 1000)
			u, err := url.Parse(origin.URL())
			if err != nil {
				t.Fatal(err)
			}
			var left, lookups atomic.Int32
			lookup := func(context.Context, string, string) ([]netip.Addr, error) {
				lookups.Add(1)
				if left.Add(-1) >= 0 {
					return nil, c.fault
				}
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
			}
			client, err := fetch.New(fetch.Options{Lookup: lookup, Settings: settings.Settings{
				Client: settings.Client{
					Region: s3test.Region, BaseEndpoint: aws.String("http://s3.test:" + u.Port()), UsePathStyle: true, Anonymous: true,
				},
				HTTP:  settings.HTTP{NoProxy: true},
				Slots: 1, MaxAttempts: 3, StallTimeout: patience, Hurry: 100,
			}})
			if err != nil {
				t.Fatal(err)
			}
			ask := questions(o)["GET"]
			if c.known {
				origin.Inject(s3test.Fault{Times: 1, Header: map[string]string{"Connection": "close"}})
				if err := ask(t.Context(), client, nil); err != nil {
					t.Fatal(err)
				}
			}
			left.Store(c.times)
			lookups.Store(0)
			err = ask(t.Context(), client, nil)
			if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if c.want == error(missing) && lookups.Load() != 1 {
				t.Errorf("got %d lookups, want 1", lookups.Load())
			}
		})
	}
}
