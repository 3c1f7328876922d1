package e2e_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
)

// build builds a program, in a directory, with flags and packages as of go build.
func build(t *testing.T, dir string, args ...string) (program string) {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
	program = filepath.Join(t.TempDir(), "program")
	cmd := exec.Command("go", append([]string{"build", "-o", program}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%q: %v: %s", cmd.Args, err, out)
	}
	return program
}

// run runs a program and returns its output.
func run(program string, env []string, args ...string) (string, error) {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

const explicit = "./internal/test/e2e/testdata/explicit"

// With the tag processpool_noinit nothing of the package runs before main: a pool without a
// WorkerCommand is refused, and one with it works.
func TestNoInit(t *testing.T) {
	leak.Check(t)
	origin, file := harness.StartOrigin(t), filepath.Join(t.TempDir(), "file")
	origin.Put("b", "k", harness.Content)
	program := build(t, harness.ModuleRoot(t), "-tags", "processpool_noinit", explicit)

	out, err := run(program, nil, origin.URL(), file, "self")
	if err == nil || strings.Count(out, "\n") != 1 || !strings.Contains(out, "WorkerCommand") || !strings.Contains(out, "ServeWorker") {
		t.Errorf("without a WorkerCommand: got %v and %q, want an error that says what to do", err, out)
	}
	if out, err := run(program, nil, origin.URL(), file, "command"); err != nil {
		t.Fatalf("with a WorkerCommand: %v: %s", err, out)
	}
	harness.WantContent(t, file, harness.Content)

	// main runs whatever the environment says. Nobody in a worker's place builds a pool, though, and
	// nobody serves without a pool.
	for _, mark := range []string{"self/0", "command/0", "self", "self/7"} {
		env := []string{"PROCESSPOOL_WORKER=" + mark}
		for _, args := range [][]string{{origin.URL(), file, "command"}, {"worker"}} {
			out, err := run(program, env, args...)
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 || strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "processpool") {
				t.Errorf("%q, %s: got %v and %q, want one line", args, mark, err, out)
			}
		}
	}
}

// docs/testing.md says who writes coverage data: workers that leave main, and no others.
func TestCoverageOfWorkers(t *testing.T) {
	leak.Check(t)
	origin, file := harness.StartOrigin(t), filepath.Join(t.TempDir(), "file")
	origin.Put("b", "k", harness.Content)
	program := build(t, harness.ModuleRoot(t), "-cover", explicit)
	// The application, and one or two workers: as many as were started for one small object.
	for how, want := range map[string][2]int{"self": {1, 1}, "command": {2, 3}} {
		dir := t.TempDir()
		out, err := run(program, []string{"GOCOVERDIR=" + dir}, origin.URL(), file, how)
		if err != nil || out != "" {
			t.Errorf("%s: got %v and %q, want no words", how, err, out)
		}
		// A process writes one: covcounters.HASH.PID.TIME.
		counters, err := filepath.Glob(filepath.Join(dir, "covcounters.*"))
		if n := len(counters); err != nil || n < want[0] || n > want[1] {
			t.Errorf("%s: got data of %d processes, %v, want %d to %d", how, n, err, want[0], want[1])
		}
	}
}

// Two major versions of the module are in one program, and each answers to its own mark.
func TestTwoMajorVersions(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	program := build(t, twoMajors(t), "-buildvcs=false", ".")
	if out, err := run(program, nil, origin.URL(), dir); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"this", "other"} {
		harness.WantContent(t, filepath.Join(dir, name), harness.Content)
	}
	for mark, want := range map[string]string{
		"self/0": "no pool has started this process",
		"self/7": "no pool has started this process",
		"self/8": "a pool of major version 8 has started this program",
		// main runs, and does not call the other version's ServeWorker.
		"command/7": "this process is a worker of a pool of major version 7",
		"command/0": "this process is a worker of a pool",
	} {
		out, err := run(program, []string{"PROCESSPOOL_WORKER=" + mark}, origin.URL(), dir)
		if err == nil || strings.Count(out, "\n") != 1 || !strings.Contains(out, want) {
			t.Errorf("%s: got %v and %q, want one line with %q", mark, err, out, want)
		}
	}
}

// twoMajors returns the directory of a program that has the library twice: as it is, and as if it
// were version 7.
func twoMajors(t *testing.T) string {
	const path = "github.com/s3processpool/processpool"
	root, dir := harness.ModuleRoot(t), t.TempDir()
	write := func(name, text string) {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	goMod := read(t, "go.mod")
	seven := func(text string) string { return strings.ReplaceAll(text, path, path+"/v7") }
	write("v7/go.mod", seven(goMod))
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if slices.Contains([]string{".git", "bench", "cmd", "docs", "examples", "fleet", "internal/test", "processpooltest"}, name) || d.Name() == "testdata" {
				return fs.SkipDir
			}
		case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			text := seven(read(t, name))
			if name == "internal/reexec/version.go" {
				text = strings.Replace(text, `Version = "0.`, `Version = "7.`, 1)
				text = strings.Replace(text, path+`/v7"`, path+`"`, 1) // modulePath
			}
			write(filepath.Join("v7", name), text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, requirements, _ := strings.Cut(goMod, "\n")
	write("go.mod", "module example.com/majors\n"+requirements+
		"\nrequire (\n\t"+path+" v0.0.0\n\t"+path+"/v7 v7.0.0\n)\n\nreplace (\n\t"+path+" => "+root+"\n\t"+path+"/v7 => ./v7\n)\n")
	write("go.sum", read(t, "go.sum"))
	write("main.go", read(t, "internal/test/e2e/testdata/majors/main.go.txt"))
	return dir
}
