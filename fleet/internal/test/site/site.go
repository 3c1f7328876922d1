// Package site has what tests of s3fleet need: an S3 origin, directories, and s3fleet as processes of
// its own. A test package that uses it has a TestMain that calls Main.
package site

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool/fleet/internal/cli"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Patience is how long a test waits for an event. Only a hang takes that long.
const Patience = time.Minute

// asMain is the environment variable that makes the test binary run as s3fleet.
const asMain = "S3FLEET_TEST_AS_MAIN"

// Main runs the tests, or s3fleet in processes that Command has started.
func Main(m *testing.M) {
	if os.Getenv(asMain) != "" {
		cli.Main()
	}
	for _, entry := range os.Environ() { // hide the settings of the machine
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") || name == "XDG_STATE_HOME" {
			os.Unsetenv(name)
		}
	}
	none := filepath.Join(os.TempDir(), "s3fleet-test-no-such-file")
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "any",
	} {
		os.Setenv(name, value)
	}
	os.Exit(m.Run())
}

// Site is an origin, a place for the files of servers, and a directory for downloads.
type Site struct {
	testing.TB
	Origin *s3test.Server
	State  string // the user's state directory
	Dir    string
}

// New returns a Site, which ends with the test. The options are those of the origin.
func New(t testing.TB, optFns ...func(*s3test.Options)) *Site {
	s := &Site{TB: t, Origin: s3test.Start(optFns...), State: t.TempDir(), Dir: t.TempDir()}
	t.Cleanup(s.Origin.Close)
	return s
}

// Command returns s3fleet as a process of its own. Its standard output and error go to the test's log
// if nothing else is set.
func (s *Site) Command(ctx context.Context, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		s.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), asMain+"=1", "XDG_STATE_HOME="+s.State)
	return cmd
}

// Fleet runs s3fleet to its end, which must have the given status.
func (s *Site) Fleet(status int, args ...string) (stdout, stderr string) {
	s.Helper()
	return s.Start(args...).Wait(status)
}

// Process is s3fleet under way.
type Process struct {
	*exec.Cmd
	Stdout, Stderr Output
	site           *Site
	ended          chan struct{}
	err            error
}

// Start starts s3fleet. It is killed at the end of the test if it runs then.
func (s *Site) Start(args ...string) *Process {
	s.Helper()
	return s.Begin(s.Command(context.Background(), args...))
}

// Begin is as Start for a command that is not exactly that of Command.
func (s *Site) Begin(cmd *exec.Cmd) *Process {
	s.Helper()
	p := &Process{Cmd: cmd, site: s, ended: make(chan struct{})}
	p.Cmd.Stdout, p.Cmd.Stderr = &p.Stdout, &p.Stderr
	p.WaitDelay = Patience // a descendant may hold the pipes
	if err := p.Cmd.Start(); err != nil {
		s.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		p.err = p.Cmd.Wait()
	}()
	s.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.ended
	})
	return p
}

// Wait waits until s3fleet has ended, with the given status; -1: by a signal.
func (p *Process) Wait(status int) (stdout, stderr string) {
	p.site.Helper()
	select {
	case <-p.ended:
	case <-time.After(Patience):
		p.site.Fatalf("s3fleet %q still runs\n%s%s", p.Args[1:], &p.Stdout, &p.Stderr)
	}
	if got := p.ProcessState.ExitCode(); got != status {
		p.site.Errorf("s3fleet %q: got status %d (%v), want %d\n%s%s", p.Args[1:], got, p.err, status, &p.Stdout, &p.Stderr)
	}
	return p.Stdout.String(), p.Stderr.String()
}

// Ended is closed when s3fleet has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Err returns what waiting for an ended process has returned: exec.ErrWaitDelay means that a
// descendant has outlived it.
func (p *Process) Err() error {
	<-p.ended
	return p.err
}

// Tree returns the files below a directory, by their names with slashes.
func (s *Site) Tree(dir string) map[string][]byte {
	s.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err == nil {
			files[filepath.ToSlash(rel)], err = os.ReadFile(name)
		}
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return files
}

// Whole checks that a directory has exactly the given files.
func (s *Site) Whole(dir string, want map[string][]byte) {
	s.Helper()
	got := s.Tree(dir)
	for name, content := range want {
		if have, ok := got[name]; !ok || !bytes.Equal(have, content) {
			s.Errorf("%s: got %d bytes (there: %v), want the %d of the object", name, len(have), ok, len(content))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			s.Errorf("left behind: %s", name)
		}
	}
}

// Text checks that a text contains others.
func (s *Site) Text(what, got string, want ...string) {
	s.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			s.Errorf("%s: got %q, want it to contain %q", what, got, w)
		}
	}
}
