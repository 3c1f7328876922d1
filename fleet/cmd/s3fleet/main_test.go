package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

// patience is how long a test waits for an event. Only a hang takes that long.
const patience = time.Minute

// asMain is the environment variable that makes the test binary run as s3fleet.
const asMain = "S3FLEET_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	for _, entry := range os.Environ() { // hide the settings of the machine
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") && os.Getenv(asMain) == "" {
			os.Unsetenv(name)
		}
	}
	if os.Getenv(asMain) != "" {
		main()
		return
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

// site is an origin, a store for servers, and a directory for files.
type site struct {
	t      *testing.T
	origin *s3test.Server
	store  string
	dir    string
}

func newSite(t *testing.T) *site {
	s := &site{t: t, origin: s3test.Start(), store: t.TempDir(), dir: t.TempDir()}
	t.Cleanup(s.origin.Close)
	return s
}

// command returns s3fleet as a process of its own.
func (s *site) command(ctx context.Context, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), asMain+"=1", "XDG_STATE_HOME="+s.store)
	return cmd
}

// fleet runs s3fleet to its end, which must have the given status.
func (s *site) fleet(status int, args ...string) (stdout, stderr string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	cmd := s.command(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != status {
		s.t.Errorf("s3fleet %q: got status %d (%v), want %d\n%s%s", args, got, err, status, &out, &errs)
	}
	return out.String(), errs.String()
}

// put puts n objects of a size below a prefix.
func (s *site) put(n int, size int64) {
	for i := range n {
		s.origin.Put("b", fmt.Sprintf("p/%d/%03d", i%3, i), s3test.PatternBytes(uint64(i), size))
	}
}

// whole checks that the directory has exactly the first n objects of put.
func (s *site) whole(dir string, n int, size int64) {
	s.t.Helper()
	var want []string
	for i := range n {
		name := fmt.Sprintf("%d/%03d", i%3, i)
		want = append(want, name)
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Equal(got, s3test.PatternBytes(uint64(i), size)) {
			s.t.Errorf("%s: got %d bytes, %v, want the object", name, len(got), err)
		}
	}
	var got []string
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, name)
			got = append(got, filepath.ToSlash(rel))
		}
		return err
	})
	slices.Sort(want)
	slices.Sort(got)
	if err != nil || !slices.Equal(got, want) {
		s.t.Errorf("got files %q, %v, want %q", got, err, want)
	}
}

func wantText(t *testing.T, what, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%s: got %q, want it to contain %q", what, got, w)
		}
	}
}
