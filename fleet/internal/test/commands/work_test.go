package commands

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/fleet/internal/test/site"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A server, a plan, and two workers with directories of their own: together they have each object once.
func TestPlanAndWork(t *testing.T) {
	s := site.New(t)
	files := s.Put(200, 64<<10)
	files["large"] = s3test.PatternBytes(1, 20<<20)
	s.Origin.Put("b", "p/large", files["large"])
	s.Origin.Put("b", "p/directory/", nil)
	_, url := s.Serve(t.TempDir(), "127.0.0.1:0")
	_, told := s.Fleet(0, "plan", "s3://b/p", "--nats", url, "--run", "r", "--endpoint", s.Origin.URL())
	s.Text("plan", told, "run r: 201 objects", " planned\n")
	_, told = s.Fleet(0, "plan", "s3://b/p/", "--nats", url, "--run", "r", "--endpoint", s.Origin.URL())
	s.Text("plan again", told, "run r: 201 objects", "planned before")
	out, _ := s.Fleet(0, "status", "--nats", url)
	s.Text("status", out, "run r: s3://b/p/: the plan is complete", "201 planned, 0 done, 0 dead, 201 open")

	one, two := filepath.Join(s.Dir, "one"), filepath.Join(s.Dir, "two")
	args := []string{"--nats", url, "--run", "r", "--endpoint", s.Origin.URL(), "--processes", "2"}
	first := s.Start(append([]string{"work", one, "--node", "n1"}, args...)...)
	second := s.Start(append([]string{"work", two, "--node", "n2"}, args...)...)
	first.Wait(0)
	second.Wait(0)
	all := s.Tree(one)
	for name, content := range s.Tree(two) {
		if _, both := all[name]; both {
			t.Errorf("%s: both workers have downloaded it", name)
		}
		all[name] = content
	}
	if !maps.EqualFunc(all, files, func(a, b []byte) bool { return string(a) == string(b) }) {
		t.Errorf("got %d files, want %d, and the objects' bytes", len(all), len(files))
	}

	out, _ = s.Fleet(0, "status", "--nats", url, "--json")
	var status fleet.Status
	if err := json.Unmarshal([]byte(out), &status); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var done int64
	for _, n := range status.Nodes {
		done += n.Done
	}
	if !status.Ended || status.Done != 201 || status.DoneBytes != status.PlannedBytes || len(status.Nodes) != 2 || done != 201 {
		t.Errorf("got %+v", status)
	}
	out, _ = s.Fleet(0, "status", "--nats", url, "--prometheus")
	s.Text("prometheus", out, "# TYPE s3fleet_objects gauge\n", `s3fleet_objects{run="r",state="done"} 201`, `s3fleet_ended{run="r"} 1`, `node="n2"`)
	s.Fleet(0, "remove", "--nats", url, "--run", "r")
	_, told = s.Fleet(2, "status", "--nats", url)
	s.Text("removed", told, "the server has no run")
}

// What fails is dead, with what S3 says of it, and can be put back.
func TestDead(t *testing.T) {
	s := site.New(t)
	files := s.Put(10, 1000)
	s.Origin.Put("b", "p/gone", []byte("1"))
	s.Origin.Put("b", "p/changed", []byte("1"))
	s.Origin.Put("b", "p/../above", []byte("1"))
	_, url := s.Serve(t.TempDir(), "127.0.0.1:0")
	connection := []string{"--nats", url, "--run", "r"}
	with := func(args ...string) []string { return append(args, connection...) }
	origin := []string{"--endpoint", s.Origin.URL()}
	s.Fleet(0, append(with("plan", "s3://b/p/"), origin...)...)
	s.Origin.Delete("b", "p/gone")
	s.Origin.Put("b", "p/changed", []byte("2"))
	s.Fleet(1, append(with("work", s.Dir), origin...)...)
	s.Whole(s.Dir, files)

	out, _ := s.Fleet(0, with("dead")...)
	s.Text("dead", out, "s3://b/p/gone: ", "s3://b/p/changed: ", "is no file below the directory", "request ")
	out, _ = s.Fleet(0, with("dead", "--json")...)
	codes := map[string]fleet.Dead{}
	for line := range strings.Lines(out) {
		var d fleet.Dead
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		codes[d.Object.Key] = d
	}
	if d := codes["p/gone"]; len(codes) != 3 || d.Status != 404 || d.RequestID == "" || d.HostID == "" || d.Op == "" || d.Node == "" || d.V != fleet.Version {
		t.Errorf("got %+v", codes)
	}
	out, _ = s.Fleet(0, with("status")...)
	s.Text("status", out, "13 planned, 10 done, 3 dead, 0 open", "ended")

	s.Origin.Put("b", "p/gone", []byte("1"))
	s.Origin.Put("b", "p/changed", []byte("1"))
	out, _ = s.Fleet(0, with("dead", "--requeue")...)
	s.Text("requeue", out, "3 objects are in the queue again")
	out, _ = s.Fleet(0, with("status")...)
	s.Text("status", out, "13 planned, 10 done, 0 dead, 3 open")
	s.Fleet(1, append(with("work", s.Dir), origin...)...)
	files["gone"], files["changed"] = []byte("1"), []byte("1")
	s.Whole(s.Dir, files)
	out, _ = s.Fleet(0, with("status")...)
	s.Text("status", out, "13 planned, 12 done, 1 dead, 0 open", "ended")
}

// A temporary failure is tried again, and only so often.
func TestRetry(t *testing.T) {
	s := site.New(t)
	files := s.Put(1, 1000)
	s.Origin.Put("b", "p/never", []byte("1"))
	fault := s.Origin.Inject(s3test.Fault{Key: "p/never", Status: 503, Code: "SlowDown"})
	out, _ := s.Fleet(1, "run", "s3://b/p/", s.Dir, "--workers", "1", "--max-deliver", "2", "--attempts", "2", "--endpoint", s.Origin.URL())
	s.Text("run", out, "2 planned, 1 done, 1 dead, 0 open")
	s.Whole(s.Dir, files)
	if fault.Hits() < 4 {
		t.Errorf("got %d attempts, want 2 in each of 2 deliveries", fault.Hits())
	}
}
