package shared

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/fleet/internal/test/site"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// stage is a run whose objects are planned.
type stage struct {
	*site.Site
	run   *fleet.Run
	url   string
	files map[string][]byte
}

func plan(s *site.Site, ackWait string) *stage {
	files := s.Put(120, 64<<10)
	files["large"] = s3test.PatternBytes(1, 20<<20)
	s.Origin.Put("b", "p/large", files["large"])
	_, url := s.Serve(s.TempDir(), "127.0.0.1:0")
	s.Fleet(0, "plan", "s3://b/p/", "--nats", url, "--run", "r", "--endpoint", s.Origin.URL(), "--ack-wait", ackWait)
	run, err := fleet.Open(s.Context(), s.Connect(url), "r")
	if err != nil {
		s.Fatal(err)
	}
	return &stage{s, run, url, files}
}

// work starts a worker.
func (s *stage) work(dir string) *site.Process {
	return s.Start("work", dir, "--nats", s.url, "--run", "r", "--endpoint", s.Origin.URL(), "--processes", "3", "--chunk", "8MiB")
}

// wantAll checks that each object is done, and in place, and that nothing else is.
func (s *stage) wantAll() {
	s.Helper()
	s.Whole(s.Dir, s.files)
	if status, err := s.run.Status(s.Context()); err != nil || !status.Ended || status.Done != int64(len(s.files)) || status.Dead != 0 {
		s.Errorf("got %+v, %v", status, err)
	}
}

// gets counts the requests for objects since the last call.
func (s *stage) gets() (n int) {
	for _, r := range s.Origin.Requests() {
		if r.Method == "GET" && r.Key != "" {
			n++
		}
	}
	s.Origin.ResetRequests()
	return n
}

// least is how many requests the objects of a stage need: the large one has three ranges.
func (s *stage) least() int { return len(s.files) + 2 }

// Two workers on two mounts of one directory have each object once. A second run finds what is there
// if the file system has extended attributes.
func TestEachOnce(t *testing.T) {
	each(t, func(t *testing.T, y system, s *site.Site, mounts [2]string) {
		st := plan(s, "30s")
		first, second := st.work(mounts[0]), st.work(mounts[1])
		first.Wait(0)
		second.Wait(0)
		st.wantAll()
		if got := st.gets(); got != st.least() {
			t.Errorf("got %d requests, want %d: each byte once", got, st.least())
		}
		s.Fleet(0, "plan", "s3://b/p/", "--nats", st.url, "--run", "r", "--endpoint", s.Origin.URL(), "--fresh")
		st.work(mounts[1]).Wait(0)
		s.Whole(s.Dir, st.files)
		want := st.least()
		if y.attributes {
			want = 0
		}
		if got := st.gets(); got != want {
			t.Errorf("the second run: got %d requests, want %d", got, want)
		}
	})
}

// temporary matches what the library writes before it has all of an object.
var temporary = regexp.MustCompile(`\.[0-9a-f]{8}$|^\..*\.(part|journal)$`)

// removeUnmarked removes temporary files without the mark by which others know that they are the
// library's. On a file system without attributes all are.
func (s *stage) removeUnmarked() {
	s.Helper()
	for name := range s.Tree(s.Dir) {
		file := filepath.Join(s.Dir, filepath.FromSlash(name))
		if _, ok := s.files[name]; ok || !temporary.MatchString(path.Base(name)) {
			continue
		}
		if _, err := unix.Getxattr(file, "user.processpool", nil); err != unix.ENODATA {
			continue
		}
		if err := os.Remove(file); err != nil {
			s.Error(err)
		}
	}
}

// hold has a worker begin, until it waits for bytes in the middle of the large object.
func (s *stage) hold(dir string) (p *site.Process, release chan struct{}) {
	s.Helper()
	release = make(chan struct{})
	s.Origin.Inject(s3test.Fault{Key: "p/large", Method: "GET", Gate: release})
	p = s.work(dir)
	if err := s.Origin.WaitRequests(s.Context(), 1, func(r s3test.Request) bool { return r.Method == "GET" && r.Key == "p/large" }); err != nil {
		s.Fatal(err)
	}
	return p, release
}

// What a killed worker held another one has by its own mount. Nothing is left of the first that others can
// know to be its own.
func TestKilled(t *testing.T) {
	each(t, func(t *testing.T, y system, s *site.Site, mounts [2]string) {
		st := plan(s, "2s")
		first, release := st.hold(mounts[0])
		kill(t, first)
		close(release)
		st.work(mounts[1]).Wait(0)
		if !y.attributes {
			st.removeUnmarked()
		}
		st.wantAll()
	})
}

// A worker that was stopped for longer than --ack-wait comes back to a directory in which another one
// has done its work. Without locks between the mounts two write one partial file.
func TestStopped(t *testing.T) {
	each(t, func(t *testing.T, y system, s *site.Site, mounts [2]string) {
		st := plan(s, "2s")
		first, release := st.hold(mounts[0])
		if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		s.Origin.ClearFaults()
		st.work(mounts[1]).Wait(0)
		if err := first.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		close(release)
		first.Wait(0)
		st.wantAll()
	})
}

// The systems keep of a local file system what the table says.
func TestSystems(t *testing.T) {
	each(t, func(t *testing.T, y system, s *site.Site, mounts [2]string) {
		name := func(i int) string { return filepath.Join(mounts[i], "file") }
		f, err := os.OpenFile(name(0), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString("1"); err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			t.Error(err)
		}
		if _, err := os.OpenFile(name(1), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666); !os.IsExist(err) {
			t.Errorf("exclusive create: got %v, want that it exists", err)
		}
		g, err := os.Open(name(1))
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			t.Error(err)
		}
		if err := unix.Flock(int(g.Fd()), unix.LOCK_EX|unix.LOCK_NB); (err == unix.EWOULDBLOCK) != y.locks {
			t.Errorf("the other mount: got %v, want locks that hold: %v", err, y.locks)
		}
		if err := unix.Setxattr(name(0), "user.test", []byte("1"), 0); (err == nil) != y.attributes {
			t.Errorf("extended attribute: got %v, want them: %v", err, y.attributes)
		}
		if err := os.WriteFile(filepath.Join(mounts[1], "new"), []byte("2"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(mounts[1], "new"), name(1)); err != nil {
			t.Error(err)
		}
		deadline := time.Now().Add(site.Patience) // a mount may remember attributes for a while
		for {
			if text, err := os.ReadFile(name(0)); string(text) == "2" || time.Now().After(deadline) {
				if err != nil || string(text) != "2" {
					t.Errorf("after the rename: got %q, %v", text, err)
				}
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}
