package commands

import (
	"testing"

	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/fleet/internal/test/site"
)

// A worker whose disk is full gives back what it has, and ends; another one does all the rest.
func TestFullDisk(t *testing.T) {
	s := site.New(t)
	small := site.Small(t, "1m")
	files := s.Put(120, 64<<10)
	_, url := s.Serve(t.TempDir(), "127.0.0.1:0")
	s.Fleet(0, "plan", "s3://b/p/", "--nats", url, "--run", "r", "--endpoint", s.Origin.URL(), "--ack-wait", "1h")
	args := []string{"--nats", url, "--run", "r", "--endpoint", s.Origin.URL(), "--processes", "2"}
	_, stderr := s.Fleet(3, append([]string{"work", small}, args...)...)
	s.Text("full", stderr, "no space left on device", "others go on")
	s.Fleet(0, append([]string{"work", s.Dir}, args...)...)
	s.Whole(s.Dir, files)
	run, err := fleet.Open(t.Context(), s.Connect(url), "r")
	if err != nil {
		t.Fatal(err)
	}
	if status, err := run.Status(t.Context()); err != nil || status.Done != 120 || status.Dead != 0 || !status.Ended {
		t.Errorf("got %+v, %v", status, err)
	}
	for name, content := range s.Tree(small) {
		if string(content) != string(files[name]) {
			t.Errorf("full disk: left behind: %s", name)
		}
	}
}
