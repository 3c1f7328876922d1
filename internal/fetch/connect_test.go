package fetch_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/fetch"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// TestConnect: connections are open before there is a request, and the first requests use them.
func TestConnect(t *testing.T) {
	for _, secure := range []bool{false, true} {
		leak.Check(t)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		origin := startOrigin(t, func(o *s3test.Options) { o.TLS = secure })
		o := putObject(origin, 1000)
		c := newClient(t, origin)
		c.Connect(ctx, o.whole().Bucket)
		if err := origin.WaitOpen(ctx, 2); err != nil {
			t.Fatalf("TLS=%t: %v", secure, err)
		}
		wantCount(t, origin, 0)
		var gets sync.WaitGroup
		for range 2 {
			gets.Go(func() {
				m, job := &memory{}, o.job(0, 1000)
				r, _, err := c.Get(ctx, job, m, fetch.Observer{})
				o.want(t, job, m, r, err)
			})
		}
		gets.Wait()
		if n := origin.Connections(); n != 2 {
			t.Errorf("TLS=%t: got %d connections, want the 2 that were open", secure, n)
		}
	}
}

// TestConnectForeign: code of the caller's sees no request that is not sent.
func TestConnectForeign(t *testing.T) {
	s := settings.Settings{Slots: 1, UserAgent: "a/b", Client: settings.Client{Region: s3test.Region, RetryMode: aws.RetryModeStandard}}
	c, err := fetch.New(fetch.Options{Settings: s}, func(o *s3.Options) { o.HTTPClient = noClient{t} })
	if err != nil {
		t.Fatal(err)
	}
	c.Connect(t.Context(), "b")
}

type noClient struct{ t *testing.T }

func (n noClient) Do(r *http.Request) (*http.Response, error) {
	n.t.Errorf("got %s %s", r.Method, r.URL)
	return nil, http.ErrAbortHandler
}
