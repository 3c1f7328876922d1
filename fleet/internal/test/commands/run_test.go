// Package commands tests the commands of s3fleet, as processes of their own.
package commands

import (
	"testing"

	"github.com/s3processpool/processpool/fleet/internal/test/site"
)

func TestMain(m *testing.M) { site.Main(m) }

// One command plans, serves and downloads; a second one skips all.
func TestRun(t *testing.T) {
	s := site.New(t)
	files := s.Put(20, 100<<10)
	args := []string{"run", "s3://b/p/", s.Dir, "--workers", "2", "--processes", "2", "--endpoint", s.Origin.URL()}
	out, _ := s.Fleet(0, args...)
	s.Text("run", out, "20 planned, 20 done, 0 dead, 0 open", "ended")
	s.Whole(s.Dir, files)
	s.Origin.ResetRequests()
	out, _ = s.Fleet(0, args...)
	s.Text("again", out, "20 planned, 20 done, 0 dead, 0 open", "  20  ")
	for _, r := range s.Origin.Requests() {
		if r.Key != "" {
			t.Errorf("again: got %s %s", r.Method, r.Key)
		}
	}
}
