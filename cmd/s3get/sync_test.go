package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
	"github.com/s3processpool/processpool/internal/tool/mark"
)

// cmd runs a command of s3get, which wants no status but this one, and returns its output.
func cmd(t *testing.T, origin *s3test.Server, status int, args ...string) (stdout, stderr string) {
	t.Helper()
	got, stdout, stderr := getCommand(t, t.Context(), origin, args...)
	if got != status {
		t.Errorf("%q: got status %d, want %d: %s", args, got, status, stderr)
	}
	return stdout, stderr
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

func wantContent(t *testing.T, name, want string) {
	t.Helper()
	if got, err := os.ReadFile(name); err != nil || string(got) != want {
		t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
	}
}

// gets counts the GetObjects since the last call.
func gets(origin *s3test.Server) (n int) {
	for _, r := range origin.Requests() {
		if r.Method == "GET" && r.Key != "" {
			n++
		}
	}
	origin.ResetRequests()
	return n
}

// needAttributes skips the test if files in dir cannot have extended attributes.
func needAttributes(t *testing.T, dir string) {
	t.Helper()
	probe := filepath.Join(dir, "probe")
	write(t, probe, "")
	if err := mark.Available(probe); err != nil {
		t.Skipf("the file system keeps no attributes: %v", err)
	}
	if err := os.Remove(probe); err != nil {
		t.Fatal(err)
	}
}

// sync fetches what is new or changed, and removes the rest only with --delete.
func TestSync(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	for _, key := range []string{"p/a", "p/d/b", "p/d/c", "q"} {
		origin.Put("b", key, []byte(key))
	}
	stdout, _ := cmd(t, origin, 0, "sync", "s3://b/p/", dir)
	wantText(t, "first", stdout, "3 objects, ")
	wantFiles(t, dir, "a", "d/b", "d/c")
	gets(origin)

	origin.Put("b", "p/d/b", []byte("p/d/B")) // of the same size
	origin.Delete("b", "p/d/c")
	write(t, filepath.Join(dir, "keep.log"), "x")
	write(t, filepath.Join(dir, ".k.part"), "x")
	if err := os.Symlink(filepath.Join(dir, "a"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	stdout, _ = cmd(t, origin, 0, "sync", "s3://b/p", dir)
	wantText(t, "again", stdout, "1 object, 5 B", "; 1 unchanged")
	if n := gets(origin); n != 1 {
		t.Errorf("got %d GetObjects, want 1", n)
	}
	wantContent(t, filepath.Join(dir, "d", "b"), "p/d/B")
	wantFiles(t, dir, "a", "d/b", "d/c", "keep.log", ".k.part", "link")

	stdout, _ = cmd(t, origin, 0, "sync", "--delete", "--exclude", "*.log", "--dry-run", "s3://b/p", dir)
	wantText(t, "dry run", stdout, "would delete "+filepath.Join(dir, "d", "c")+"\n", "dry run: 1 step")
	wantFiles(t, dir, "a", "d/b", "d/c", "keep.log", ".k.part", "link")
	stdout, _ = cmd(t, origin, 0, "sync", "--delete", "--exclude", "*.log", "s3://b/p", dir)
	wantText(t, "delete", stdout, "deleted "+filepath.Join(dir, "d", "c")+"\n", "; 1 file deleted")
	wantFiles(t, dir, "a", "d/b", "keep.log", ".k.part", "link")
}

// Nothing is removed if anything failed, or if the prefix has no object.
func TestSyncDeleteRefuses(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "p/a", []byte("a"))
	origin.Put("b", "p/denied", []byte("a"))
	origin.Inject(s3test.Fault{Key: "p/denied", Status: 403})
	write(t, filepath.Join(dir, "extra"), "x")
	cmd(t, origin, 1, "sync", "--delete", "s3://b/p/", dir)
	cmd(t, origin, 1, "sync", "--delete", "s3://b/none/", dir)
	cmd(t, origin, 1, "sync", "--delete", "s3://missing/p/", dir)
	wantFiles(t, dir, "a", "extra")
	for _, flag := range []string{"--shard=0/2", "--include=*.x"} {
		_, stderr := cmd(t, origin, 2, "sync", "--delete", flag, "s3://b/p/", dir)
		wantText(t, flag, stderr, "contradict each other")
	}
	_, stderr := cmd(t, origin, 2, "sync", "s3://b/*.gz", dir)
	wantText(t, "wildcard", stderr, "has a wildcard, and is no prefix")
}

// A file whose bytes were changed, and whose object has not, is fetched again.
func TestIfChanged(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "k", []byte("one"))
	needAttributes(t, dir)
	file := filepath.Join(dir, "k")
	args := []string{"get", "--if-changed", "s3://b/k", "-d", dir}
	cmd(t, origin, 0, args...)
	stdout, _ := cmd(t, origin, 0, args...)
	wantText(t, "unchanged", stdout, "0 objects, ", "; 1 unchanged")
	write(t, file, "two")
	stdout, _ = cmd(t, origin, 0, args...)
	wantText(t, "another file", stdout, "1 object, ")
	wantContent(t, file, "one")
	origin.Put("b", "k", []byte("six"))
	stdout, _ = cmd(t, origin, 0, args...)
	wantText(t, "another object", stdout, "1 object, ")
	wantContent(t, file, "six")
}

func TestNoClobber(t *testing.T) {
	leak.Check(t)
	origin, dir := startOrigin(t), t.TempDir()
	origin.Put("b", "p/k", []byte("new"))
	origin.Put("b", "p/l", []byte("new"))
	write(t, filepath.Join(dir, "k"), "old")
	stdout, stderr := cmd(t, origin, 0, "--no-clobber", "s3://b/p/k", "s3://b/p/l", "-d", dir)
	wantText(t, "objects", stdout, "1 object, ", "; 1 existed")
	if stderr != "" {
		t.Errorf("got %q", stderr)
	}
	if err := os.Remove(filepath.Join(dir, "l")); err != nil {
		t.Fatal(err)
	}
	stdout, _ = cmd(t, origin, 0, "--no-clobber", "-r", "s3://b/p/", dir)
	wantText(t, "prefix", stdout, "1 object, ", "; 1 existed")
	wantContent(t, filepath.Join(dir, "k"), "old")
	wantContent(t, filepath.Join(dir, "l"), "new")
}
