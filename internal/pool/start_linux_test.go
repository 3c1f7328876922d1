package pool

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/internal/test/leak"
)

// sockets returns the descriptors of a process that are sockets.
func sockets(t *testing.T, pid int) (found []string) {
	t.Helper()
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil || len(links) == 0 {
		t.Fatalf("descriptors of pid %d: %q, %v", pid, links, err)
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, "socket:") {
			found = append(found, target)
		}
	}
	return found
}

// TestWorkerHoldsItsOwnSocketAlone: while a worker held an end of another worker's socket, the pool
// would not see the other's death; while it held the pool's end, it would not see the pool's.
func TestWorkerHoldsItsOwnSocketAlone(t *testing.T) {
	leak.Check(t)
	c := newCrew(t, "write", func(o *Options) { o.Processes = 6 })
	var pids []int
	for range 6 {
		pids = append(pids, next[Up](c).Worker.PID())
	}
	held := map[string]int{}
	for _, s := range sockets(t, os.Getpid()) {
		held[s] = os.Getpid()
	}
	for _, pid := range pids {
		theirs := sockets(t, pid)
		if len(theirs) != 1 {
			t.Errorf("pid %d holds %q, want one socket", pid, theirs)
		}
		for _, s := range theirs {
			if other, ok := held[s]; ok {
				t.Errorf("pid %d holds %s, and so does pid %d", pid, s, other)
			}
			held[s] = pid
		}
	}
}

// TestWorkerEnvironment: the environment and the command line of a worker hold no secrets, and not
// what sizes the application.
func TestWorkerEnvironment(t *testing.T) {
	leak.Check(t)
	const canary = "not-to-be-seen-in-ps"
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
	} {
		t.Setenv(name, canary)
	}
	t.Setenv("AWS_REGION", "kept=as it is")
	application := []string{"GOMAXPROCS=1000", "GOGC=1234", "GOMEMLIMIT=9876MiB"}
	for _, entry := range application {
		name, value, _ := strings.Cut(entry, "=")
		t.Setenv(name, value)
	}
	c := newCrew(t, "write", func(o *Options) { o.Settings.Slots = 1 })
	pid := next[Up](c).Worker.PID()
	for _, file := range []string{"environ", "cmdline"} {
		p, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(p, []byte(canary)) {
			t.Errorf("%s of a worker holds a secret:\n%q", file, p)
		}
		if file == "environ" && !bytes.Contains(p, []byte("\x00AWS_REGION=kept=as it is\x00")) {
			t.Errorf("AWS_REGION is not in %q", p)
		}
		for _, entry := range application {
			if file == "environ" && bytes.Contains(p, []byte(entry)) {
				t.Errorf("%s is the application's, in %q", entry, p)
			}
		}
	}
}

// A worker of another program gets the FIPS mode that is built into this one (//go:debug).
func TestWorkerIsInFIPSMode(t *testing.T) {
	if os.Getenv("GODEBUG") != "fips140=only" {
		if env := (Command{}).environ(1); slices.ContainsFunc(env, func(e string) bool { return strings.Contains(e, "fips140") }) {
			t.Errorf("got %q without the mode", env)
		}
		child := exec.Command("/proc/self/exe", "-test.run", "^TestWorkerIsInFIPSMode$")
		child.Env = append(os.Environ(), "GODEBUG=fips140=only")
		if out, err := child.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	os.Unsetenv("GODEBUG") // this process keeps the mode, as if it were built in
	defer os.Setenv("GODEBUG", "fips140=only")
	if env := (Command{}).environ(1); env[len(env)-1] != "GODEBUG=fips140=only" {
		t.Errorf("got %q", env)
	}
	os.Setenv("GODEBUG", "http2debug=1,fips140=off")
	if env := (Command{}).environ(1); env[len(env)-1] != "GODEBUG=http2debug=1,fips140=off,fips140=only" {
		t.Errorf("got %q", env)
	}
}

func TestWorkerThreads(t *testing.T) {
	for _, slots := range []int{1, 2, 1000} {
		env := Command{}.environ(slots)
		want := fmt.Sprintf("GOMAXPROCS=%d", min(slots, runtime.NumCPU()))
		if env[len(env)-1] != want {
			t.Errorf("slots=%d: got %s, want %s", slots, env[len(env)-1], want)
		}
	}
}

// currentSlack returns the timer slack of this thread.
func currentSlack() (time.Duration, error) {
	ns, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	return time.Duration(ns), err
}

func init() {
	// Reading another process's from /proc takes CAP_SYS_NICE (proc_pid_timerslack_ns(5)).
	scripts["tell its timer slack"] = func(a *actor) {
		a.start()
		got, err := currentSlack()
		a.tell(func() string { return fmt.Sprint(got, err) })
	}
}

func TestWorkerSlack(t *testing.T) {
	leak.Check(t)
	ours, err := currentSlack()
	if err != nil {
		t.Fatal(err)
	}
	for slots, want := range map[int]time.Duration{1: slack + 1973, 2: ours.Truncate(10_000) + 1973} {
		c := newCrew(t, "tell its timer slack", func(o *Options) { o.Settings.Slots = slots })
		if got := told(c).Cause; got != fmt.Sprint(want, nil) {
			t.Errorf("a worker of %d requests has a slack of %s, want %v", slots, got, want)
		}
	}
}

// TestLaunchLeavesThreadsAsTheyWere: no thread that runs the application's goroutines again has a
// worker's slack or niceness.
func TestLaunchLeavesThreadsAsTheyWere(t *testing.T) {
	p := New(Options{Nice: 3})
	p.options.Settings.Slots = 1
	nice := func() int {
		raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
		if err != nil {
			t.Error(err)
		}
		return 20 - raw
	}
	before, err := currentSlack()
	if err != nil {
		t.Fatal(err)
	}
	niceBefore := nice()
	for range 20 {
		var during time.Duration
		var niceDuring int
		err := p.launch(func() error { during, err = currentSlack(); niceDuring = nice(); return io.EOF }, nil)
		if err != io.EOF {
			t.Errorf("got %v, want what start returned", err)
		}
		if during.Truncate(time.Millisecond) != slack || niceDuring != min(niceBefore+3, 19) {
			t.Errorf("during the start: slack %v, niceness %d", during, niceDuring)
		}
		for range 10 {
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				if after, _ := currentSlack(); after != before || nice() != niceBefore {
					t.Errorf("after the start: slack %v, niceness %d", after, nice())
				}
			}()
			<-ended
		}
	}
}
