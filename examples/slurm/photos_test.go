//go:build unix

// Package slurm has the script of a job array, and checks it.
package slurm

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

const script = "photos.sbatch"

func output(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
}

func TestSyntax(t *testing.T) { output(t, exec.Command("bash", "-n", script)) }

// array returns the first and the last task of the script, and its default number of parts.
func array(t *testing.T) (first, last, parts int) {
	t.Helper()
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	number := func(pattern string) int {
		match := regexp.MustCompile(pattern).FindSubmatch(text)
		if match == nil {
			t.Fatalf("%s has no %s", script, pattern)
		}
		n, err := strconv.Atoi(string(match[1]))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return number(`(?m)^#SBATCH --array=(\d+)-`), number(`(?m)^#SBATCH --array=\d+-(\d+)$`), number(`\$\{PARTS:-(\d+)\}`)
}

// The tasks together fetch every object exactly once. A task that is submitted again alone, whose
// array has one task for Slurm, fetches nothing, and the part that it had.
func TestTasks(t *testing.T) {
	first, last, parts := array(t)
	if first != 0 || last != parts-1 {
		t.Fatalf("the array is %d-%d, and has %d parts", first, last, parts)
	}
	dir := t.TempDir()
	s3get := filepath.Join(dir, "s3get")
	build := exec.Command("go", "build", "-o", s3get, "./cmd/s3get")
	build.Dir = filepath.Join("..", "..")
	output(t, build)
	origin := s3test.Start()
	defer origin.Close()
	const count = 60
	for i := range count {
		origin.Put("mybucket", "photos/"+strconv.Itoa(i), []byte(strconv.Itoa(i)))
	}
	data := filepath.Join(dir, "data")
	// task runs a task of an array, and returns what it has fetched.
	task := func(index, first, last int) (keys []string) {
		t.Helper()
		origin.ResetRequests()
		cmd := exec.Command("bash", script, "s3://mybucket/photos/", data)
		cmd.Env = append(os.Environ(), "S3GET="+s3get, "S3GET_ENDPOINT="+origin.URL(), "S3GET_NO_SIGN_REQUEST=true",
			"SLURM_ARRAY_TASK_ID="+strconv.Itoa(index), "SLURM_ARRAY_TASK_MIN="+strconv.Itoa(first),
			"SLURM_ARRAY_TASK_MAX="+strconv.Itoa(last), "SLURM_ARRAY_TASK_COUNT="+strconv.Itoa(last-first+1),
			"SLURM_ARRAY_TASK_STEP=1", "SLURM_CPUS_PER_TASK=1")
		output(t, cmd)
		for _, r := range origin.Requests() {
			if r.Key != "" && r.Method == "GET" {
				keys = append(keys, r.Key)
			}
		}
		slices.Sort(keys)
		return keys
	}
	var all []string
	shares := make([][]string, parts)
	for index := range parts {
		shares[index] = task(index, first, last)
		if n := len(shares[index]); n == 0 || n == count {
			t.Errorf("task %d fetched %d of %d objects", index, n, count)
		}
		all = append(all, shares[index]...)
	}
	slices.Sort(all)
	if len(all) != count || len(slices.Compact(all)) != count {
		t.Errorf("got %d requests for objects, want one for each of %d", len(all), count)
	}
	if again := task(2, 2, 2); len(again) > 0 {
		t.Errorf("task 2, submitted again alone, fetched %q", again)
	}
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	if again := task(2, 2, 2); !slices.Equal(again, shares[2]) {
		t.Errorf("task 2 alone fetched %q, and %q before", again, shares[2])
	}
}
