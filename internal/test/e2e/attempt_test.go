package e2e_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// attempts are what OnAttempt was told.
type attempts struct {
	mu     sync.Mutex
	all    []processpool.Attempt
	inside atomic.Int32
	twice  atomic.Bool // two calls at a time
}

func (a *attempts) config(c *processpool.Config) {
	c.OnAttempt = func(one processpool.Attempt) {
		if a.inside.Add(1) > 1 {
			a.twice.Store(true)
		}
		defer a.inside.Add(-1)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.all = append(a.all, one)
	}
}

// of returns the attempts at an operation so far.
func (a *attempts) of(operation string) (found []processpool.Attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, one := range a.all {
		if one.Operation == operation {
			found = append(found, one)
		}
	}
	return found
}

// wantSound fails the test unless what holds for every attempt holds for all, and they are as many as
// the origin has had requests.
func (a *attempts) wantSound(t *testing.T, origin *s3test.Server) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.twice.Load() {
		t.Error("two calls at a time")
	}
	if n := len(origin.Requests()); n != len(a.all) {
		t.Errorf("got %d attempts, want one for each of %d requests", len(a.all), n)
	}
	for _, one := range a.all {
		ids := one.RequestID != "" && one.HostID != "" && "http://"+one.RemoteAddr == origin.URL()
		if one.Start.IsZero() || one.End.Before(one.Start) || one.Worker == 0 || one.Worker == os.Getpid() ||
			one.Bucket != "b" || one.StatusCode != 0 && !ids || (one.Err == nil) != (one.StatusCode/100 == 2) {
			t.Errorf("got %+v", one)
		}
	}
}

// Each request of a download is told before its Future ends, with what it asked for and got.
func TestAttempts(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 25))
	var told attempts
	d := harness.NewDownloader(t, origin, harness.Multipart(10, 10), told.config)
	d.DownloadFile(t.Context(), "", "", "") // takes the ID 0
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	if err := harness.Result(t, f); err != nil {
		t.Fatal(err)
	}
	told.wantSound(t, origin)
	heads, gets := told.of("HeadObject"), told.of("GetObject")
	if len(heads) != 1 || heads[0].Length != 0 || heads[0].Number != 1 || heads[0].TransferID != f.Meta().TransferID {
		t.Errorf("HeadObject: got %+v", heads)
	}
	lengths := map[int64]int64{}
	for _, g := range gets {
		lengths[g.Offset] = g.Length
		if g.Bytes != g.Length || g.StatusCode != 206 || g.Number != 1 || g.Key != "k" || g.TransferID != f.Meta().TransferID {
			t.Errorf("GetObject: got %+v", g)
		}
	}
	if len(gets) != 3 || lengths[0] != 10 || lengths[10] != 10 || lengths[20] != 5 {
		t.Errorf("GetObject: got the ranges %v", lengths)
	}
}

// A failed request is told with the error that a Future would have, and the next one by its number.
func TestAttemptsFail(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 1000))
	origin.Inject(s3test.Fault{Method: "GET", Times: 1, Status: 503, Code: "SlowDown", Message: "a\x1b[31mred"})
	origin.Inject(s3test.Fault{Method: "GET", Times: 1, Cut: true, CutAfter: 300})
	var told attempts
	d := harness.NewDownloader(t, origin, told.config)
	if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	gets := told.of("GetObject")
	if len(gets) != 3 {
		t.Fatalf("got %+v, want three", gets)
	}
	var api smithy.APIError
	var response *awshttp.ResponseError
	refused, broken, good := gets[0], gets[1], gets[2]
	if !errors.As(refused.Err, &api) || api.ErrorCode() != "SlowDown" || refused.StatusCode != 503 || refused.Number != 1 ||
		!errors.As(refused.Err, &response) || response.ServiceRequestID() != refused.RequestID || refused.RequestID == "" {
		t.Errorf("refused: got %+v", refused)
	}
	if text := refused.Err.Error(); strings.Contains(text, "\x1b") || !strings.Contains(text, "red") {
		t.Errorf("got %q, want its characters escaped", text)
	}
	if broken.Err == nil || broken.StatusCode != 200 || broken.Bytes != 300 || broken.Length != 1000 || broken.Number != 2 {
		t.Errorf("broken off: got %+v", broken)
	}
	if good.Err != nil || good.StatusCode != 206 || good.Offset != 300 || good.Length != 700 || good.Bytes != 700 || good.Number != 3 {
		t.Errorf("good: got %+v", good)
	}
}

// A HeadObject that is refused is one request, and the GetObject that asks for the reason another.
func TestAttemptsOfARefusal(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "other", nil)
	var told attempts
	d := harness.NewDownloader(t, origin, told.config)
	err := harness.Download(t, d, "k", filepath.Join(dir, "file"))
	harness.WantError(t, err)
	told.wantSound(t, origin)
	head, get := told.of("HeadObject"), told.of("GetObject")
	var missing *types.NoSuchKey
	if len(head) != 1 || head[0].StatusCode != 404 || len(get) != 1 || get[0].StatusCode != 404 || !errors.As(get[0].Err, &missing) {
		t.Errorf("got %+v and %+v", head, get)
	}
	if get[0].Offset != 0 || get[0].Length != 1 || get[0].Number != 1 {
		t.Errorf("got %+v, want a request for the first byte", get[0])
	}
}

// Without a HeadObject, the size is in the answer, or it is not known.
func TestAttemptsSkipHead(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 100))
	origin.Inject(s3test.Fault{Method: "GET", Times: 1, Status: 500})
	var told attempts
	d := harness.NewDownloader(t, origin, told.config)
	err := harness.Download(t, d, "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) { o.SkipHead = true })
	if err != nil {
		t.Fatal(err)
	}
	told.wantSound(t, origin)
	gets := told.of("GetObject")
	if len(gets) != 2 || gets[0].Length != -1 || gets[1].Length != 100 || gets[1].Bytes != 100 {
		t.Errorf("got %+v", gets)
	}
}

// An object beyond the limit of SkipHead is no failure of the request that shows it.
func TestAttemptsUnsuited(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 100))
	var told attempts
	d := harness.NewDownloader(t, origin, harness.Multipart(50, 50), told.config)
	err := harness.Download(t, d, "k", filepath.Join(dir, "file"), func(o *processpool.DownloadOptions) { o.SkipHead = true })
	if err != nil {
		t.Fatal(err)
	}
	told.wantSound(t, origin)
}

// A server that cannot be reached is told, too: without an answer, and with its address.
func TestAttemptsWithoutAServer(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	address := strings.TrimPrefix(origin.URL(), "http://")
	var told attempts
	d := harness.NewDownloader(t, origin, told.config, func(c *processpool.Config) { c.MaxAttempts = 2 })
	origin.Close()
	harness.WantError(t, harness.Download(t, d, "k", filepath.Join(dir, "file")))
	heads := told.of("HeadObject")
	if len(heads) != 2 {
		t.Fatalf("got %+v, want two", heads)
	}
	for i, h := range heads {
		if h.StatusCode != 0 || h.Err == nil || h.RemoteAddr != address || h.Number != i+1 {
			t.Errorf("got %+v", h)
		}
	}
}

// A request under way at a cancel is told before the Future ends, and nothing after.
func TestAttemptsCanceled(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 1000))
	stalled := origin.Inject(s3test.Fault{Method: "GET", Stall: true, StallAfter: 100})
	var told attempts
	d := harness.NewDownloader(t, origin, told.config)
	f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
	if err := origin.WaitRequests(t.Context(), 1, func(r s3test.Request) bool { return r.Method == "GET" }); err != nil {
		t.Fatal(err)
	}
	f.Cancel()
	harness.WantCanceled(t, f)
	gets := told.of("GetObject")
	if len(gets) != 1 || !errors.Is(gets[0].Err, processpool.ErrCanceled) || gets[0].Length != 1000 {
		t.Errorf("got %+v after %d requests", gets, stalled.Hits())
	}
	origin.ClearFaults()
	harness.Shutdown(t, d)
	if n := len(told.of("GetObject")); n != 1 {
		t.Errorf("got %d, want none after the end", n)
	}
}

// The pages of a listing belong to no download.
func TestAttemptsOfAListing(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t, func(o *s3test.Options) { o.PageSize = 2 }), t.TempDir()
	for _, key := range []string{"p/1", "p/2", "p/3"} {
		origin.Put("b", key, s3test.PatternBytes(1, 10))
	}
	var told attempts
	d := harness.NewDownloader(t, origin, told.config)
	if err := harness.Directory(t, d, "p/", dir).Result(); err != nil {
		t.Fatal(err)
	}
	told.wantSound(t, origin)
	lists := told.of("ListObjectsV2")
	if len(lists) != 2 {
		t.Fatalf("got %+v, want two pages", lists)
	}
	for _, l := range lists {
		if l.TransferID != -1 || l.Key != "p/" || l.StatusCode != http.StatusOK || l.Bytes == 0 || l.Length != 0 {
			t.Errorf("got %+v", l)
		}
	}
}

// While OnAttempt blocks, a download does not end, others begin, and none of it is lost.
func TestAttemptsSlow(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", s3test.PatternBytes(1, 1000))
	entered, release := make(chan struct{}), make(chan struct{})
	var calls atomic.Int32
	d := harness.NewDownloader(t, origin, func(c *processpool.Config) {
		c.OnAttempt = func(processpool.Attempt) {
			if calls.Add(1) == 1 {
				close(entered)
				<-release
			}
		}
	})
	first := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "1"))
	harness.Wait(t, entered, "the first call")
	second := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "2"))
	gets := func(r s3test.Request) bool { return r.Method == "GET" }
	if err := origin.WaitRequests(t.Context(), 2, gets); err != nil {
		t.Fatal(err)
	}
	select {
	case <-first.Done():
		t.Error("the download has ended, and OnAttempt was not told")
	default:
	}
	close(release)
	for _, f := range []*processpool.Future{first, second} {
		if err := harness.Result(t, f); err != nil {
			t.Error(err)
		}
	}
	if n := calls.Load(); n != 4 {
		t.Errorf("got %d calls, want 4", n)
	}
}
