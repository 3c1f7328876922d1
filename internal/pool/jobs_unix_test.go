//go:build unix

package pool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/test/leak"
)

func entries(from, to int) (list []ipc.Entry) {
	for i := from; i < to; i++ {
		list = append(list, ipc.Entry{Key: fmt.Appendf(nil, "key %d", i)})
	}
	return list
}

func init() {
	scripts["list in pieces"] = func(a *actor) {
		a.start()
		a.serve(func(job *ipc.Job, _ *os.File) {
			a.send(&ipc.Listed{ID: job.ID, Entries: entries(0, 5)})
			a.send(&ipc.Listed{ID: job.ID})
			if job.Key == "fail" {
				a.send(&ipc.Result{ID: job.ID, Err: &failure.Wire{Text: "failed"}})
				return
			}
			a.send(&ipc.Listed{ID: job.ID, Entries: entries(5, 7)})
			a.send(&ipc.Result{ID: job.ID, List: &ipc.Page{Entries: entries(7, 9), Next: "next"}})
		})
	}
	answer := func(messages ...ipc.Message) func(*actor) {
		return func(a *actor) {
			a.start()
			a.receive()
			for _, m := range messages {
				a.send(m)
			}
			a.receive()
		}
	}
	scripts["list for no job"] = answer(&ipc.Listed{ID: 9})
	scripts["list for another job"] = answer(&ipc.Listed{ID: 1})
	scripts["answer another job"] = answer(&ipc.Result{ID: 9})
	head := &ipc.Result{ID: 1, Head: &ipc.HeadResult{}}
	scripts["answer twice"] = answer(head, head)
	scripts["do nothing"] = func(a *actor) { a.start(); a.serve(func(*ipc.Job, *os.File) {}) }
	scripts["break the protocol and go on"] = func(a *actor) {
		a.start()
		a.receive()
		a.send(&ipc.Result{ID: 1, Head: &ipc.HeadResult{Object: ipc.Object{Size: -1}}})
		a.conn.Send(&ipc.Result{ID: 1, Head: &ipc.HeadResult{}}, nil)
		hang()
	}
	scripts["ask twice"] = answer(&ipc.Ask{}, &ipc.Ask{})
}

// TestListed: the owner sees a page that came in pieces as one.
func TestListed(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "list in pieces")
	w := next[Up](c).Worker
	for id, key := range []string{"", "fail", ""} {
		w.Job(&ipc.Job{ID: uint64(id), Key: key, List: &ipc.List{}}, nil)
		r := next[Result](c)
		if r.ID != uint64(id) || (r.Err != nil) != (key == "fail") {
			t.Fatalf("got %+v", r.Result)
		}
		if r.Err != nil {
			continue
		}
		if r.List.Next != "next" || len(r.List.Entries) != 9 {
			t.Fatalf("got %+v", r.List)
		}
		for i, e := range entries(0, 9) {
			if got := r.List.Entries[i]; string(got.Key) != string(e.Key) {
				t.Errorf("got %q at %d, want %q", got.Key, i, e.Key)
			}
		}
	}
}

// TestLargestPage: what is kept of a page is bounded, and a page beyond the bound is an error.
func TestLargestPage(t *testing.T) {
	w := newProcess(New(Options{}), 0, nil)
	megabyte := []ipc.Entry{{Key: make([]byte, 1<<20)}}
	fits := maxPage / megabyte[0].FrameSize()
	for _, n := range []int{fits, fits + 1} { // and all entries share one key
		w.jobs.Give(&ipc.Job{ID: 1, List: &ipc.List{}})
		for range n - 1 {
			if _, err := w.jobs.Hear(1, &ipc.Listed{ID: 1, Entries: megabyte}); err != nil {
				t.Fatal(err)
			}
		}
		m, err := w.jobs.Hear(1, &ipc.Result{ID: 1, List: &ipc.Page{Entries: megabyte, Next: "next"}})
		r, ok := m.(*ipc.Result)
		switch {
		case err != nil || !ok || r.ID != 1:
			t.Fatalf("%d entries: got %+v, %v", n, r, err)
		case n == fits && (r.Err != nil || len(r.List.Entries) != n):
			t.Errorf("%d entries: got %+v", n, r)
		case n > fits && (r.List != nil || r.Err == nil || !strings.Contains(r.Err.Text, "over the limit of 268435456")):
			t.Errorf("%d entries: got %+v, want an error with the limit", n, r)
		}
	}
	if w.jobs.busy() {
		t.Error("it still has jobs")
	}
}

// TestUnknownJob: a worker that answers what it was not asked is lost, and its jobs with it: they
// would have no Result.
func TestUnknownJob(t *testing.T) {
	for script, want := range map[string]string{
		"list for no job":      "it sent a Listed of job 9, which it does not have",
		"list for another job": "it sent keys that the job did not ask for, in a Listed of job 1",
		"answer another job":   "it sent a Result of job 9, which it does not have",
		"answer twice":         "it sent a Result of job 1, which it does not have",
		"ask twice":            "it asked for credentials before it had those of its last Ask",
	} {
		t.Run(script, func(t *testing.T) {
			leak.Check(t)
			open := make(chan struct{})
			c := newCrew(t, script, func(o *Options) { o.Credentials = &mint{open: open} })
			next[Up](c).Worker.Job(&ipc.Job{ID: 1, Head: &ipc.Head{}}, nil)
			if script == "answer twice" {
				next[Result](c)
			}
			wantText(t, next[Down](c).Err, want)
			close(open)
		})
	}
}

// TestUnsendableJob: a job that is too large ends, and so does a Connect, without costing a worker.
func TestUnsendableJob(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "write")
	w := next[Up](c).Worker
	w.Connect(strings.Repeat("b", ipc.MaxFrame))
	w.Job(&ipc.Job{ID: 1, Key: strings.Repeat("k", ipc.MaxFrame), Head: &ipc.Head{}}, nil)
	if r := next[Result](c); r.ID != 1 || r.Err == nil || r.Worker != w {
		t.Errorf("got %+v, want an error", r.Result)
	}
	w.Job(&ipc.Job{ID: 2, Get: &ipc.Get{Length: 1}}, tempFile(t))
	if r := next[Result](c); r.ID != 2 || r.Err != nil {
		t.Errorf("got %+v", r.Result)
	}
}

// TestUnsendableCredentials: credentials that are too large, or that expire when no JSON can say,
// do not cost a worker.
func TestUnsendableCredentials(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "ask", func(o *Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider("AKID", "secret", strings.Repeat("t", ipc.MaxFrame))
	})
	if r := told(c); !strings.Contains(r.Cause, "cannot send Credentials: ") {
		t.Errorf("got %q, want the reason", r.Cause)
	}
	for year, canExpire := range map[int]bool{10_000: false, 9999: true, -1: true} {
		v := newVendor(t.Context(), aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID: "AKID", SecretAccessKey: "s", CanExpire: true, Expires: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC),
			}, nil
		}))
		got := v.answer(&ipc.Ask{})
		if got.Err != "" || got.CanExpire != canExpire || ipc.Check(got) != nil {
			t.Errorf("year %d: got %+v, %v", year, got, ipc.Check(got))
		}
	}
}

// TestUnsendableSettings: settings that are too large are an error before a worker is started, and
// at the first start.
func TestUnsendableSettings(t *testing.T) {
	leak.Check(t)
	huge := settings.Settings{Slots: 1, CABundle: make([]byte, ipc.MaxFrame)}
	err := Options{Settings: huge}.Check()
	var unsendable *ipc.UnsendableError
	if !errors.As(err, &unsendable) || !strings.HasPrefix(err.Error(), "the settings for workers: cannot send Setup: ") {
		t.Errorf("got %v", err)
	}
	if err := (Options{Settings: settings.Settings{Slots: 1}}).Check(); err != nil {
		t.Error(err)
	}
	c := newCrew(t, "write", func(o *Options) { o.Settings = huge })
	wantText(t, next[Broken](c).Err, "send its settings: cannot send Setup: ")
	if n := len(c.journal.with("worker did not start")); n != 1 {
		t.Errorf("got %d starts, want one", n)
	}
}

// TestCancelIgnored: a worker that answers pings, but not a Cancel, is killed, and its job is lost.
func TestCancelIgnored(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "do nothing", func(o *Options) { o.CancelTimeout = 100 * time.Millisecond })
	w := next[Up](c).Worker
	w.Job(&ipc.Job{ID: 1, Head: &ipc.Head{}}, nil)
	w.Cancel(1)
	wantText(t, next[Down](c).Err, "killed because it did not end a job within 100ms of its cancel")
	next[Up](c)
}

// TestBreachEndsAtOnce: a worker that breaks the protocol, and does not exit, is killed at once. What
// it says after that is not heard.
func TestBreachEndsAtOnce(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "break the protocol and go on")
	w := next[Up](c).Worker
	w.Job(&ipc.Job{ID: 1, Head: &ipc.Head{}}, nil)
	wantText(t, next[Down](c).Err, fmt.Sprintf("worker %d broke the protocol: it sent an object of -1 bytes, in a Result of job 1", w.PID()))
}
