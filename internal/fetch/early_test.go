package fetch

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/settings"
)

// dials are the connections of an early that goes to no network.
type dials struct {
	mu      sync.Mutex
	made    []place
	open    int
	err     error
	answers chan struct{} // a dial takes one; nil: no dial waits
}

func (d *dials) dial(secure bool) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		d.mu.Lock()
		d.made = append(d.made, place{secure, address})
		d.mu.Unlock()
		if d.answers != nil {
			select {
			case <-d.answers:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.err != nil {
			return nil, d.err
		}
		d.open++
		near, _ := net.Pipe()
		return &counted{near, d}, nil
	}
}

type counted struct {
	net.Conn
	of *dials
}

func (c *counted) Close() error {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.open--
	return c.Conn.Close()
}

// left returns the number of open connections.
func (d *dials) left() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

func (d *dials) early() *early {
	return &early{plain: d.dial(false), secure: d.dial(true), n: 1, keep: keepEarly}
}

func to(t *testing.T, text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A connection that was opened early goes to the first request to its place, and to no other.
func TestEarlyTaken(t *testing.T) {
	for _, c := range []struct{ opened, secure, address string }{
		{"https://b.s3.eu-west-1.amazonaws.com/-", "yes", "b.s3.eu-west-1.amazonaws.com:443"},
		{"http://127.0.0.1:9000/b/-", "", "127.0.0.1:9000"},
		{"http://minio/b/-", "", "minio:80"},
		{"https://[::1]:9000/b/-", "yes", "[::1]:9000"},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			d := &dials{}
			e := d.early()
			e.open(ctx, to(t, c.opened))
			synctest.Wait()
			for _, other := range []place{{c.secure == "", c.address}, {c.secure != "", "127.0.0.1:1"}} {
				if conn, err := e.dial(other.secure)(ctx, "tcp", other.address); err != nil || len(d.made) != 2 {
					t.Errorf("%s: a request to %v has got its connection, %v", c.opened, other, err)
				} else {
					conn.Close()
				}
				d.made = d.made[:1]
			}
			for made := range 2 {
				conn, err := e.dial(c.secure != "")(ctx, "tcp", c.address)
				if err != nil || len(d.made) != 1+made {
					t.Errorf("%s, request %d: got %v after %v", c.opened, made, err, d.made)
					continue
				}
				conn.Close()
			}
			cancel()
			synctest.Wait()
			if d.left() != 0 {
				t.Errorf("%s: %d connections are left", c.opened, d.left())
			}
		})
	}
}

// A connection that is not needed is closed, and so is one at the worker's end, also while it is being
// opened.
func TestEarlyNotNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dials{}
		e := d.early()
		e.open(t.Context(), to(t, "http://minio/"))
		time.Sleep(keepEarly - time.Millisecond)
		synctest.Wait()
		if d.left() != 1 {
			t.Error("it was closed too early")
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if d.left() != 0 || len(e.waiting) > 0 {
			t.Error("it was not closed")
		}

		ctx, cancel := context.WithCancel(t.Context())
		e.open(ctx, to(t, "http://minio/"))
		synctest.Wait()
		d.answers = make(chan struct{})
		e.open(ctx, to(t, "http://minio/"))
		synctest.Wait()
		cancel()
		synctest.Wait()
		if d.left() != 0 || len(e.waiting) > 0 || len(d.made) != 3 {
			t.Errorf("after the end there are %d connections", d.left())
		}
	})
}

// A request waits for a connection that is being opened, and opens its own if that one fails.
func TestEarlyUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type dialed struct {
			conn net.Conn
			err  error
		}
		ctx, end := context.WithCancel(t.Context())
		d := &dials{answers: make(chan struct{})}
		request := func(ctx context.Context) chan dialed {
			e := d.early()
			e.open(t.Context(), to(t, "http://minio/"))
			synctest.Wait()
			got := make(chan dialed, 1)
			go func() {
				conn, err := e.dial(false)(ctx, "tcp", "minio:80")
				got <- dialed{conn, err}
			}()
			synctest.Wait()
			return got
		}

		got := request(ctx)
		d.answers <- struct{}{}
		if r := <-got; r.err != nil || len(d.made) != 1 {
			t.Errorf("got %v after %v, want the connection that was being opened", r.err, d.made)
		} else {
			r.conn.Close()
		}

		got = request(ctx)
		end()
		if r := <-got; !errors.Is(r.err, context.Canceled) {
			t.Errorf("canceled: got %v", r.err)
		}
		d.answers <- struct{}{}
		synctest.Wait()
		if d.left() != 0 {
			t.Error("canceled: the connection was left open")
		}

		got = request(t.Context())
		d.err = errors.New("refused")
		d.answers <- struct{}{}
		synctest.Wait()
		d.err = nil
		d.answers <- struct{}{}
		if r := <-got; r.err != nil || len(d.made) != 4 {
			t.Errorf("refused: got %v after %d dials, want a connection of its own", r.err, len(d.made))
		} else {
			r.conn.Close()
		}
	})
}

// After the first request there is nothing to open ahead: workers keep their connections.
func TestEarlyTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dials{}
		e := d.early()
		conn, err := e.dial(false)(t.Context(), "tcp", "minio:80")
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		e.open(t.Context(), to(t, "http://minio/"))
		synctest.Wait()
		if len(d.made) != 1 {
			t.Errorf("got %v", d.made)
		}
	})
}

// A connection that could not be opened is no answer to a later request.
func TestEarlyRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dials{err: errors.New("refused")}
		e := d.early()
		e.open(t.Context(), to(t, "http://minio/"))
		synctest.Wait()
		d.err = nil
		conn, err := e.dial(false)(t.Context(), "tcp", "minio:80")
		if err != nil || len(d.made) != 2 {
			t.Fatalf("got %v after %d dials", err, len(d.made))
		}
		conn.Close()
	})
}

// Connect goes where the bucket's requests go, and asks S3 nothing.
func TestConnectPlaces(t *testing.T) {
	const proxy = "http://127.0.0.1:1"
	for _, c := range []struct {
		name   string
		bucket string
		set    func(*settings.Settings)
		early  func(*early)
		region string // of the bucket, as S3 has told
		want   []place
	}{
		{name: "virtual host", bucket: "bucket", want: []place{{true, "bucket.s3.eu-west-1.amazonaws.com:443"}}},
		{name: "dots", bucket: "a.b", want: []place{{true, "s3.eu-west-1.amazonaws.com:443"}}},
		{name: "another region", bucket: "bucket", region: "us-west-2", want: []place{{true, "bucket.s3.us-west-2.amazonaws.com:443"}}},
		{
			name: "directory bucket", bucket: "b--euw1-az1--x-s3",
			want: []place{{true, "b--euw1-az1--x-s3.s3express-euw1-az1.eu-west-1.amazonaws.com:443"}},
		},
		{name: "two slots", bucket: "bucket", set: func(s *settings.Settings) { s.Slots = 2 }, want: []place{
			{true, "bucket.s3.eu-west-1.amazonaws.com:443"}, {true, "bucket.s3.eu-west-1.amazonaws.com:443"},
		}},
		{name: "endpoint", bucket: "bucket", set: func(s *settings.Settings) {
			s.Client.BaseEndpoint, s.Client.UsePathStyle = aws.String("http://minio:9000"), true
		}, want: []place{{false, "minio:9000"}}},
		{name: "anonymous", bucket: "bucket", set: func(s *settings.Settings) { s.Client.Anonymous = true }, want: []place{
			{true, "bucket.s3.eu-west-1.amazonaws.com:443"},
		}},
		{name: "proxy", bucket: "bucket", early: func(e *early) {
			e.proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }
		}},
		{name: "no host", bucket: "arn:aws:s3:nonsense"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := settings.Settings{Slots: 1, UserAgent: "a/b", Client: settings.Client{Region: "eu-west-1", RetryMode: aws.RetryModeStandard}}
				if c.set != nil {
					c.set(&s)
				}
				client, err := New(Options{Settings: s, Credentials: unasked{t}})
				if err != nil {
					t.Fatal(err)
				}
				d := &dials{}
				client.early.plain, client.early.secure, client.early.proxy = d.dial(false), d.dial(true), nil
				if c.early != nil {
					c.early(client.early)
				}
				if c.region != "" {
					client.regions.mu.byBucket = map[string]string{c.bucket: c.region}
				}
				client.Connect(t.Context(), c.bucket)
				synctest.Wait()
				if !slices.Equal(d.made, c.want) {
					t.Errorf("got connections to %v, want %v", d.made, c.want)
				}
			})
		})
	}
}

// unasked are credentials that nobody may ask for.
type unasked struct{ t *testing.T }

func (u unasked) Refresh() { u.t.Error("Refresh was called") }

func (u unasked) Retrieve(context.Context) (aws.Credentials, error) {
	u.t.Error("credentials were asked for")
	return aws.Credentials{}, nil
}
