package main

import "testing"

// One command plans, serves and downloads; a second one skips all.
func TestRun(t *testing.T) {
	s := newSite(t)
	s.put(20, 100<<10)
	out, _ := s.fleet(0, "run", "s3://b/p/", s.dir, "--workers", "2", "--processes", "2", "--endpoint", s.origin.URL())
	wantText(t, "run", out, "20 planned, 20 done, 0 dead, 0 open", "ended")
	s.whole(s.dir, 20, 100<<10)
	s.origin.ResetRequests()
	out, _ = s.fleet(0, "run", "s3://b/p/", s.dir, "--workers", "2", "--processes", "2", "--endpoint", s.origin.URL())
	wantText(t, "again", out, "20 planned, 20 done, 0 dead, 0 open", "  20  ")
	for _, r := range s.origin.Requests() {
		if r.Key != "" {
			t.Errorf("again: got %s %s", r.Method, r.Key)
		}
	}
}
