// Package kubernetes has the manifest of a Job, and checks it.
package kubernetes

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

// decode reads a manifest as the API server does with strict field validation: a field that is
// unknown, misspelled, also in its case, or there twice is an error.
func decode(text []byte) (j batchv1.Job, err error) {
	text, err = yaml.YAMLToJSONStrict(text)
	if err != nil {
		return j, err
	}
	strict, err := json.UnmarshalStrict(text, &j)
	return j, errors.Join(append(strict, err)...)
}

func manifest(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("job.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func job(t *testing.T) batchv1.Job {
	t.Helper()
	j, err := decode([]byte(manifest(t)))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestStrict(t *testing.T) {
	text := manifest(t)
	for right, wrong := range map[string]string{
		"backoffLimitPerIndex:": "backoffLimitPerindex:", "completions: 4": "completions: four",
		"parallelism: 4": "completions: 5", "cpu:": "[]:", "onExitCodes:": "onExitcodes:",
	} {
		if _, err := decode([]byte(strings.Replace(text, right, wrong, 1))); err == nil {
			t.Errorf("%s instead of %s: got no error", wrong, right)
		}
	}
}

// The rules of the API server that the types do not have
// (https://kubernetes.io/docs/concepts/workloads/controllers/job/), and what the README says.
func TestJob(t *testing.T) {
	j := job(t)
	spec, pod := j.Spec, j.Spec.Template.Spec
	if j.APIVersion != "batch/v1" || j.Kind != "Job" {
		t.Errorf("got %s %s", j.APIVersion, j.Kind)
	}
	if spec.CompletionMode == nil || *spec.CompletionMode != batchv1.IndexedCompletion || pod.RestartPolicy != corev1.RestartPolicyNever {
		t.Error("backoffLimitPerIndex needs Indexed and Never")
	}
	if spec.BackoffLimitPerIndex == nil || *spec.BackoffLimitPerIndex < 1 || spec.BackoffLimit != nil {
		t.Error("backoffLimitPerIndex is to be set, and backoffLimit is not")
	}
	if spec.MaxFailedIndexes == nil || *spec.MaxFailedIndexes > *spec.Completions {
		t.Error("maxFailedIndexes is to be set, and at most completions")
	}
	c := pod.Containers[0]
	for _, rule := range spec.PodFailurePolicy.Rules {
		if codes := rule.OnExitCodes; codes != nil && (codes.ContainerName == nil || *codes.ContainerName != c.Name || !slices.IsSorted(codes.Values)) {
			t.Errorf("got %+v", codes)
		}
		if rule.OnExitCodes == nil && len(rule.OnPodConditions) == 0 {
			t.Errorf("the rule %s has no condition", rule.Action)
		}
		for _, condition := range rule.OnPodConditions {
			if condition.Type != corev1.DisruptionTarget || condition.Status != corev1.ConditionTrue {
				t.Errorf("got %+v", condition)
			}
		}
	}
	if i := slices.Index(c.Args, "--shard"); i < 0 || c.Args[i+1] != "auto/"+strconv.Itoa(int(*spec.Completions)) {
		t.Errorf("got %q, want --shard auto/%d", c.Args, *spec.Completions)
	}
	if !*pod.SecurityContext.RunAsNonRoot || !*c.SecurityContext.ReadOnlyRootFilesystem || *c.SecurityContext.AllowPrivilegeEscalation {
		t.Error("the container has more rights than it needs")
	}
	if c.Resources.Requests.Cpu().IsZero() || c.Resources.Limits.Memory().IsZero() {
		t.Errorf("got resources %+v", c.Resources)
	}
	if len(c.VolumeMounts) != 1 || c.VolumeMounts[0].Name != pod.Volumes[0].Name || c.Args[len(c.Args)-1] != c.VolumeMounts[0].MountPath {
		t.Errorf("the files of %q are not on the volume", c.Args)
	}
}

// The pods of the Job fetch every object exactly once, and one that is started again fetches nothing.
func TestPods(t *testing.T) {
	j, dir := job(t), t.TempDir()
	s3get := filepath.Join(dir, "s3get")
	build := exec.Command("go", "build", "-o", s3get, "./cmd/s3get")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	origin := s3test.Start()
	defer origin.Close()
	const count = 60
	for i := range count {
		origin.Put("mybucket", "photos/"+strconv.Itoa(i), []byte(strconv.Itoa(i)))
	}
	data := filepath.Join(dir, "data")
	pod := func(index int) {
		t.Helper()
		c := j.Spec.Template.Spec.Containers[0]
		args := slices.Clone(c.Args)
		args[len(args)-1] = data
		cmd := exec.Command(s3get, args...)
		cmd.Env = append(os.Environ(), "JOB_COMPLETION_INDEX="+strconv.Itoa(index), "S3GET_ENDPOINT="+origin.URL(), "S3GET_NO_SIGN_REQUEST=true")
		for _, e := range c.Env {
			cmd.Env = append(cmd.Env, e.Name+"="+e.Value)
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("index %d: %v\n%s", index, err, out)
		}
	}
	fetched := func() (keys []string) {
		for _, r := range origin.Requests() {
			if r.Key != "" && r.Method == "GET" {
				keys = append(keys, r.Key)
			}
		}
		origin.ResetRequests()
		return keys
	}
	var all []string
	for index := range int(*j.Spec.Completions) {
		pod(index)
		part := fetched()
		if len(part) == 0 || len(part) == count {
			t.Errorf("index %d fetched %d of %d objects", index, len(part), count)
		}
		all = append(all, part...)
	}
	slices.Sort(all)
	if len(all) != count || len(slices.Compact(all)) != count {
		t.Errorf("got %d requests for objects, want one for each of %d", len(all), count)
	}
	if files, err := os.ReadDir(data); err != nil || len(files) != count {
		t.Errorf("got %d files, %v, want %d", len(files), err, count)
	}
	pod(1)
	if again := fetched(); len(again) > 0 {
		t.Errorf("index 1, started again, fetched %q", again)
	}
}

// The Job of docs/fleet.md has no completions, so that it is done when one worker is, and gives a worker
// time for its --grace.
func TestFleetPage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "fleet.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "\n```yaml\napiVersion: batch/v1\n")
	block, _, ok := strings.Cut(block, "\n```\n")
	j, err := decode([]byte("apiVersion: batch/v1\n" + block))
	if !ok || err != nil {
		t.Fatalf("docs/fleet.md has no Job, or a wrong one: %v", err)
	}
	pod := j.Spec.Template.Spec
	if j.Spec.Completions != nil || j.Spec.Parallelism == nil || pod.RestartPolicy != corev1.RestartPolicyNever ||
		pod.TerminationGracePeriodSeconds == nil || *pod.TerminationGracePeriodSeconds <= 60 || !slices.Contains(pod.Containers[0].Args, "--grace=60s") {
		t.Errorf("got %+v", j.Spec)
	}
}
