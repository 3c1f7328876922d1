package cluster

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/fleet/internal/test/site"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// With three replicas nothing is lost when the disk of a server is, and that server gets everything
// from the others: it is enough for the next one to be lost.
func TestDiskLost(t *testing.T) {
	c, s := start(t), site.New(t)
	files := s.Put(300, 20<<10)
	gate := make(chan struct{})
	s.Origin.Inject(s3test.Fault{Key: "p/0/0297", Gate: gate})
	server := []string{"--nats", c.url(), "--tls-ca", c.ca(), "--run", "photos"}
	with := func(args ...string) []string { return append(args, server...) }
	origin := []string{"--endpoint", s.Origin.URL()}
	s.Fleet(0, append(with("plan", "s3://b/p/", "--replicas", "3"), origin...)...)
	worker := s.Start(append(with("work", s.Dir, "--processes", "2"), origin...)...)
	if err := s.Origin.WaitRequests(t.Context(), 50, func(r s3test.Request) bool { return r.Method == "GET" }); err != nil {
		t.Fatal(err)
	}
	lose := func(i int) {
		t.Helper()
		c.stop(i)
		if err := os.RemoveAll(c.store(i)); err != nil {
			t.Fatal(err)
		}
	}
	lose(1)
	close(gate)
	worker.Wait(0)
	s.Whole(s.Dir, files)
	c.start(1)
	c.ready(1)
	c.current()
	lose(2)
	out, _ := s.Fleet(0, with("status", "--json")...)
	var status fleet.Status
	if err := json.Unmarshal([]byte(out), &status); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !status.Ended || status.Done != 300 || status.Planned != 300 {
		t.Errorf("got %+v, want that all 300 are done", status)
	}
	s.Fleet(0, with("remove")...)
}

// A user may do what the run of its name needs, and nothing for another one.
func TestOtherRun(t *testing.T) {
	c, s := start(t), site.New(t)
	s.Put(1, 10)
	_, stderr := s.Fleet(2, "plan", "s3://b/p/", "--nats", c.url(), "--tls-ca", c.ca(),
		"--run", "others", "--endpoint", s.Origin.URL())
	s.Text("another run", stderr, "allows this user too little")
}

// With one server, the plan is lost with its disk: commands say so, and a second plan skips what is
// there.
func TestOnlyDiskLost(t *testing.T) {
	s := site.New(t)
	files := s.Put(30, 10<<10)
	dir := filepath.Join(t.TempDir(), "store")
	server, url := s.Serve(dir, "127.0.0.1:0")
	args := []string{"--run", "r", "--endpoint", s.Origin.URL()}
	s.Fleet(0, append(args, "plan", "s3://b/p/", "--nats", url)...)
	s.Fleet(0, append(args, "work", s.Dir, "--nats", url)...)
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	server.Wait(-1)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	_, url = s.Serve(dir, "127.0.0.1:0")
	_, stderr := s.Fleet(2, "status", "--nats", url, "--run", "r")
	s.Text("status", stderr, "the server has no such run")
	s.Origin.ResetRequests()
	s.Fleet(0, append(args, "plan", "s3://b/p/", "--nats", url)...)
	s.Fleet(0, append(args, "work", s.Dir, "--nats", url)...)
	s.Whole(s.Dir, files)
	for _, r := range s.Origin.Requests() {
		if r.Key != "" {
			t.Errorf("again: got %s %s", r.Method, r.Key)
		}
	}
}
