package fence_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// nobody is an ordinary user.
const nobody = 65534

// who can do a thing without a sandbox.
type who int

const (
	all     who = iota
	root        // not an ordinary user
	depends     // on the system's settings
	none
)

// denied are the things that a worker in the sandbox cannot do, and who can do them without.
var denied = map[string]who{
	"read its environment":   all,
	"open its memory":        all,
	"list its descriptors":   all,
	"ptrace it":              depends, // on yama
	"process_vm_readv of it": depends,
	"kill it":                all,
	"pidfd of it":            all,
	"descriptor of it":       depends,
	"priority of it":         all,
	"limits of it":           all,
	"descriptor 700":         none, // without a sandbox, too

	"exec":     all,
	"fork":     all,
	"memfd":    all,
	"map code": all,

	"create":             all,
	"write":              all,
	"truncate":           all,
	"mkdir":              all,
	"symlink":            all,
	"link":               all,
	"rename":             all,
	"unlink":             all,
	"chmod":              all,
	"read by name":       all,
	"list /":             all,
	"list the directory": all,
	"read /proc/self":    root, // no-dump makes it root's
	"chdir":              all,
	"inotify":            all,

	"map it shared":         all,
	"map it shared to read": all,
	"fchmod it":             all,
	"ftruncate it":          all,
	"fallocate it":          all,
	"lease it":              all,
	"lock it":               all,
	"set its attribute":     depends, // on the file system

	"listen":               all,
	"connect elsewhere":    all,
	"MPTCP elsewhere":      depends, // on the kernel
	"FASTOPEN elsewhere":   depends,
	"unix socket":          all,
	"abstract unix socket": all,
	"socketpair":           all,
	"netlink":              all,
	"raw socket":           root,
	"packet socket":        depends,

	"bpf":            depends,
	"io_uring":       depends,
	"add_key":        depends,
	"keyctl":         depends,
	"userfaultfd":    depends,
	"perf events":    depends,
	"mount":          root,
	"unshare":        all,
	"new name space": root,
	"chroot":         root,
	"setuid":         all,
	"capset":         all,
	"dumpable":       all,
	"set a limit":    all,
	"personality":    all,
}

// probers are the probers that were built, by CGO_ENABLED.
var probers = map[string]string{}

// prober returns the path of the prober, in a directory that all users may enter. It builds it at
// its first call.
func prober(t *testing.T, cgo string) string {
	t.Helper()
	if program, built := probers[cgo]; built {
		return program
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "fence")
	if err != nil {
		t.Fatal(err)
	}
	harness.AtEnd(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "prober")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, "./internal/test/fence/testdata/prober")
	build.Dir = harness.ModuleRoot(t)
	build.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	probers[cgo] = program
	return program
}

// open returns a directory in which all users may write.
func open(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "fence")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Outcome is what the prober prints.
type Outcome struct {
	Sandbox string
	Error   string
	Probes  map[string]string
	Status  map[string]string
	Memory  string
	Nice    int
	Log     []string
}

// run is one run of the prober.
type run struct {
	program string
	worker  string // self, or worker, which probes
	mode    processpool.SandboxMode
	uid     int
	nice    int
	env     []string
}

// do runs the prober as an application.
func (r run) do(t *testing.T) Outcome {
	t.Helper()
	origin, dir := harness.StartOrigin(t), open(t)
	want := s3test.PatternBytes(1, 10_000)
	origin.Put("b", "k", want)
	for _, name := range []string{"file", "mine", "other"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("content"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, r.uid, r.uid); err != nil {
			t.Fatal(err)
		}
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	abstract := fmt.Sprintf("fence-%d-%d", os.Getpid(), tcp.Addr().(*net.TCPAddr).Port)
	for _, name := range []string{filepath.Join(dir, "socket"), "@" + abstract} {
		ln, err := net.Listen("unix", name)
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
	}
	os.Chmod(filepath.Join(dir, "socket"), 0o777)

	out := filepath.Join(dir, "out")
	cmd := exec.Command(r.program, "app", origin.URL(), r.worker, fmt.Sprint(int(r.mode)), out, fmt.Sprint(r.nice))
	cmd.Env = append(append(os.Environ(), "PROBE_DIR="+dir, "PROBE_FILE="+filepath.Join(dir, "file"),
		fmt.Sprintf("PROBE_PORT=%d", tcp.Addr().(*net.TCPAddr).Port), "PROBE_ABSTRACT="+abstract), r.env...)
	if r.uid != os.Getuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(r.uid), Gid: uint32(r.uid)}}
	}
	cmd.Dir = dir
	var errors bytes.Buffer
	cmd.Stderr = &errors
	printed, err := cmd.Output()
	if err != nil {
		t.Fatalf("the prober: %v: %s", err, &errors)
	}
	var o Outcome
	if err := json.Unmarshal(printed, &o); err != nil {
		t.Fatalf("%v: %q", err, printed)
	}
	if o.Error == "<nil>" && r.mode != processpool.SandboxOff {
		harness.WantContent(t, out, want)
	}
	return o
}

// users returns the users as which a test can run programs.
func users() []int {
	if os.Getuid() == 0 {
		return []int{0, nobody}
	}
	return []int{os.Getuid()}
}

// builds returns the values of CGO_ENABLED with which this machine can build.
func builds() []string {
	if _, err := exec.LookPath("gcc"); err != nil {
		return []string{"0"}
	}
	return []string{"0", "1"}
}

// TestProbes: a worker in the sandbox can do none of the things in the table, and without it can do
// them, which shows that the table tries the right things.
func TestProbes(t *testing.T) {
	leak.Check(t)
	for _, cgo := range builds() {
		program := prober(t, cgo)
		for _, uid := range users() {
			name := fmt.Sprintf("cgo=%s,uid=%d", cgo, uid)
			t.Run(name+",without", func(t *testing.T) {
				t.Parallel() // it takes a second, for the worker keeps its file
				o := run{program: program, worker: "worker", mode: processpool.SandboxOff, uid: uid}.do(t)
				wantProbes(t, o)
				for name, able := range denied {
					switch err := o.Probes[name]; {
					case able == depends:
						t.Logf("%s: %q", name, err)
					case err == "there is no job's file":
						t.Errorf("%s: %s", name, err)
					case able == none && err == "":
						t.Errorf("%s: it can be done without the sandbox, too", name)
					case (able == all || able == root && uid == 0) && err != "":
						t.Errorf("%s: got %q without the sandbox, want none", name, err)
					}
				}
			})
			t.Run(name+",required", func(t *testing.T) {
				o := run{program: program, worker: "worker", mode: processpool.SandboxRequired, uid: uid}.do(t)
				if o.Error != "<nil>" {
					t.Fatalf("the download: got %v\n%s", o.Error, strings.Join(o.Log, "\n"))
				}
				wantProbes(t, o)
				for name := range denied {
					if err := o.Probes[name]; err == "" || err == "there is no job's file" {
						t.Errorf("%s: got %q, want it denied", name, err)
					}
				}
			})
		}
	}
}

// wantProbes fails the test unless the worker has tried what the table has, and could do what it
// may.
func wantProbes(t *testing.T, o Outcome) {
	t.Helper()
	var tried []string
	for name, err := range o.Probes {
		if !strings.HasPrefix(name, "may ") {
			tried = append(tried, name)
		} else if err != "" {
			t.Errorf("%s: got %q", name, err)
		}
	}
	slices.Sort(tried)
	if want := slices.Sorted(maps.Keys(denied)); !slices.Equal(tried, want) {
		t.Fatalf("tried %q, want %q\n%s %s", tried, want, o.Error, strings.Join(o.Log, "\n"))
	}
}

// TestSelf: a worker that is the application's program has the filter, keeps its memory from other
// programs of its user, and is as nice as asked for.
func TestSelf(t *testing.T) {
	leak.Check(t)
	own, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // 20 less the niceness
	if err != nil {
		t.Fatal(err)
	}
	more := min(5, own-1) // 19 is the most
	for _, cgo := range builds() {
		program := prober(t, cgo)
		for _, uid := range users() {
			for _, mode := range []processpool.SandboxMode{processpool.SandboxAuto, processpool.SandboxRequired, processpool.SandboxOff} {
				for _, dump := range []bool{false, true} {
					t.Run(fmt.Sprintf("cgo=%s,uid=%d,%v,dump=%v", cgo, uid, mode, dump), func(t *testing.T) {
						r := run{program: program, worker: "self", mode: mode, uid: uid, nice: 5}
						if dump {
							r.env = []string{"PROCESSPOOLDEBUG=dump"}
						}
						o := r.do(t)
						if o.Error != "<nil>" {
							t.Fatalf("the download: got %v", o.Error)
						}
						filter := "2"
						if mode == processpool.SandboxOff {
							filter = "0"
						}
						if o.Status["Seccomp"] != filter {
							t.Errorf("Seccomp is %s, want %s", o.Status["Seccomp"], filter)
						}
						if o.Nice != more {
							t.Errorf("its niceness is %d more, want %d", o.Nice, more)
						}
						if visible := o.Memory == "<nil>"; visible != (dump || uid == 0) {
							t.Errorf("the application opens its memory: %s", o.Memory)
						}
					})
				}
			}
		}
	}
}

// TestCommandAuto: a program of the user's has no fence, and yet no descriptors that it was not
// given.
func TestCommandAuto(t *testing.T) {
	leak.Check(t)
	o := run{program: prober(t, "0"), worker: "worker", mode: processpool.SandboxAuto, uid: os.Getuid()}.do(t)
	wantProbes(t, o)
	if o.Sandbox != "" || o.Probes["exec"] != "" || o.Probes["create"] != "" || o.Probes["descriptor 700"] == "" {
		t.Errorf("got %+v", o)
	}
}

// TestSetuid: a program that has rights of its own is nobody's worker, for who starts it is its
// pool.
func TestSetuid(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make such a program")
	}
	program := filepath.Join(open(t), "prober")
	if out, err := exec.Command("cp", prober(t, "0"), program).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Chmod(program, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"self", "command"} {
		cmd := exec.Command(program, "worker")
		cmd.Env = append(os.Environ(), "PROCESSPOOL_WORKER="+role+"/0")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		words, err := cmd.CombinedOutput()
		if strings.Contains(string(words), "no pool has started this process") {
			t.Skip("the file system is mounted nosuid")
		}
		if err == nil || bytes.Count(words, []byte("\n")) != 1 || !strings.Contains(string(words), "serves nobody") {
			t.Errorf("%s: got %v and %q, want one line", role, err, words)
		}
	}
}
