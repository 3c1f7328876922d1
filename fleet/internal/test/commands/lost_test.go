package commands

import (
	"os"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/fleet/internal/test/site"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func isGet(r s3test.Request) bool { return r.Method == "GET" && r.Key != "" }

// When the disk of the server is lost, workers end with an error that says so. After another plan,
// what is there already is skipped.
func TestStoreLost(t *testing.T) {
	s := site.New(t)
	files := s.Put(300, 20<<10)
	gate := make(chan struct{})
	defer close(gate)
	s.Origin.Inject(s3test.Fault{Key: "p/0/0297", Gate: gate})
	store := t.TempDir()
	server, url := s.Serve(store, "127.0.0.1:0")
	args := func(command ...string) []string {
		return append(command, "--nats", url, "--run", "r", "--endpoint", s.Origin.URL())
	}
	plan := func(status int) string {
		t.Helper()
		_, stderr := s.Fleet(status, args("plan", "s3://b/p/")...)
		return stderr
	}
	plan(0)
	worker := s.Start(args("work", s.Dir, "--processes", "2", "--grace", "1s")...)
	if err := s.Origin.WaitRequests(t.Context(), 150, isGet); err != nil {
		t.Fatal(err)
	}
	_ = server.Process.Kill()
	server.Wait(-1)
	if err := os.RemoveAll(store); err != nil {
		t.Fatal(err)
	}
	_, again := s.Serve(store, url[strings.IndexByte(url, '@')+1:])
	s.Origin.ClearFaults()
	_, stderr := worker.Wait(1)
	s.Text("worker", stderr, "if it has lost its disk", "plan again")
	s.Text("the URL of before", plan(2), "refuses the credentials")

	url = again
	_, stderr = s.Fleet(2, args("work", s.Dir)...)
	s.Text("new worker", stderr, "run r: the server has no such run")
	done := s.Tree(s.Dir)
	s.Origin.ResetRequests()
	s.Text("plan", plan(0), "300 objects")
	s.Fleet(0, args("work", s.Dir)...)
	s.Whole(s.Dir, files)
	for _, r := range s.Origin.Requests() {
		if _, ok := done[strings.TrimPrefix(r.Key, "p/")]; ok {
			t.Errorf("got %s %s, which was there", r.Method, r.Key)
		}
	}
}

// A run that has lost its server's files begins anew, and skips all.
func TestRunStateLost(t *testing.T) {
	s := site.New(t)
	files := s.Put(300, 20<<10)
	args := []string{"run", "s3://b/p/", s.Dir, "--workers", "2", "--processes", "2", "--endpoint", s.Origin.URL()}
	s.Fleet(0, args...)
	if err := os.RemoveAll(s.State); err != nil {
		t.Fatal(err)
	}
	s.Origin.ResetRequests()
	out, _ := s.Fleet(0, args...)
	s.Text("again", out, "300 planned, 300 done, 0 dead, 0 open")
	for _, r := range s.Origin.Requests() {
		if isGet(r) {
			t.Errorf("again: got %s %s", r.Method, r.Key)
		}
	}
	s.Whole(s.Dir, files)
}
