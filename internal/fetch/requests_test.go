package fetch_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/fetch"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// reporter keeps the requests of a job.
type reporter struct {
	begun int
	ended []*ipc.Attempt
}

func (r *reporter) Begun()               { r.begun++ }
func (r *reporter) Ended(a *ipc.Attempt) { r.ended = append(r.ended, a) }

func (r *reporter) statuses() (all []int) {
	for i, a := range r.ended {
		if a.Number != i+1 || (a.Err == nil) != (a.Status/100 == 2) || a.End < a.Start {
			return nil
		}
		all = append(all, a.Status)
	}
	return all
}

// Where a worker program's client retries by itself, each of its requests is reported.
func TestReportsOfTheSDKsRetries(t *testing.T) {
	origin := startOrigin(t)
	origin.Put("b", "k", s3test.PatternBytes(1, 10))
	origin.Inject(s3test.Fault{Method: "HEAD", Status: 503, Times: 2})
	c, err := fetch.New(fetch.Options{Settings: settings.Settings{
		Client: settings.Client{Region: s3test.Region, BaseEndpoint: aws.String(origin.URL()), UsePathStyle: true},
		Slots:  1, MaxAttempts: 1, StallTimeout: patience, UserAgent: "processpool/test", Attempts: true,
	}, Credentials: &keys{access: "AKIDEXAMPLE", secret: "any"}}, func(o *s3.Options) {
		o.Retryer = retry.AddWithMaxBackoffDelay(retry.NewStandard(), 1)
	})
	if err != nil {
		t.Fatal(err)
	}
	var r reporter
	job := &ipc.Job{Bucket: "b", Key: "k", Head: &ipc.Head{}}
	if _, err := c.Head(fetch.Reported(t.Context(), &r), job, nil); err != nil {
		t.Fatal(err)
	}
	if got := r.statuses(); !slices.Equal(got, []int{503, 503, 200}) || r.begun != 3 {
		t.Errorf("got %v of %d begun", got, r.begun)
	}
}

// Without Settings.Attempts nothing is reported.
func TestReportsAreOff(t *testing.T) {
	origin := startOrigin(t)
	origin.Put("b", "k", s3test.PatternBytes(1, 10))
	var r reporter
	job := &ipc.Job{Bucket: "b", Key: "k", Head: &ipc.Head{}}
	if _, err := newClient(t, origin).Head(fetch.Reported(t.Context(), &r), job, nil); err != nil {
		t.Fatal(err)
	}
	if r.begun != 0 || len(r.ended) != 0 {
		t.Errorf("got %d requests", len(r.ended))
	}
}

// A request to the wrong region is reported, and the one to the right region counts on.
func TestReportsOfARedirect(t *testing.T) {
	origin := startOrigin(t)
	origin.Put("b", "k", s3test.PatternBytes(1, 10))
	origin.Inject(s3test.Fault{Method: "HEAD", Redirect: "eu-west-1", Times: 1})
	var r reporter
	job := &ipc.Job{Bucket: "b", Key: "k", Head: &ipc.Head{}}
	c := newClient(t, origin, func(s *settings.Settings) { s.Attempts = true })
	if _, err := c.Head(fetch.Reported(t.Context(), &r), job, nil); err != nil {
		t.Fatal(err)
	}
	if got := r.statuses(); !slices.Equal(got, []int{301, 200}) {
		t.Errorf("got %v", got)
	}
}
