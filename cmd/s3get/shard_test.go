package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
)

// vectors are keys, and their parts of 2, 10 and 1000. README.md has them.
var vectors = []struct {
	key string
	of  [3]int
}{
	{"a", [3]int{0, 0, 250}},
	{"photos/2026/a.jpg", [3]int{0, 6, 686}},
	{"data/part-00000.parquet", [3]int{1, 7, 367}},
	{"ü/日", [3]int{1, 7, 397}},
}

func TestShardVectors(t *testing.T) {
	leak.Check(t)
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		for i, n := range []int{2, 10, 1000} {
			for _, c := range []struct {
				part int
				want bool
			}{{v.of[i], true}, {(v.of[i] + 1) % n, false}} {
				var s shardFlag
				if err := s.Set(fmt.Sprintf("%d/%d", c.part, n)); err != nil || s.wants(v.key) != c.want {
					t.Errorf("%q, part %d of %d: got %v, %v", v.key, c.part, n, !c.want, err)
				}
			}
		}
		if row := fmt.Sprintf("| `%s` | %d | %d | %d |", v.key, v.of[0], v.of[1], v.of[2]); !strings.Contains(string(readme), row) {
			t.Errorf("README.md does not have %s", row)
		}
	}
}

func TestShardFlag(t *testing.T) {
	leak.Check(t)
	for _, c := range []struct{ text, env, want string }{
		{"0/4", "", "0/4"},
		{"3/4", "", "3/4"},
		{"auto/4", "JOB_COMPLETION_INDEX=2", "2/4"},
		{"auto", "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_STEP=2", "3/4"},
		{"auto", "SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_COUNT=4", "2/4"},
		{"auto", "AWS_BATCH_JOB_ARRAY_INDEX=1 AWS_BATCH_JOB_ARRAY_SIZE=2", "1/2"},
		{"auto/9", "AWS_BATCH_JOB_ARRAY_INDEX=8 AWS_BATCH_JOB_ARRAY_SIZE=2", "8/9"},
		{"auto", "JOB_COMPLETION_INDEX=2", "error: write auto/n"},
		{"auto", "", "error: auto needs"},
		{"auto/2", "JOB_COMPLETION_INDEX=2", "error: none of 2 parts"},
		{"auto/2", "JOB_COMPLETION_INDEX=x", "error: no number"},
		{"auto/0", "JOB_COMPLETION_INDEX=0", "error: none of 0 parts"},
		{"auto", "SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_STEP=3", "error: none of"},
		{"4/4", "", "error: the parts of 4 are 0 to 3"},
		{"1", "", "error: want i/n"}, {"-1/2", "", "error: want i/n"}, {"0/0", "", "error: want i/n"}, {"", "", "error: want i/n"},
	} {
		t.Run(c.text+" "+c.env, func(t *testing.T) {
			for _, a := range arrays {
				for _, name := range []string{a.index, a.count, a.first, a.step} {
					if name != "" {
						t.Setenv(name, "")
					}
				}
			}
			for _, pair := range strings.Fields(c.env) {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv(name, value)
			}
			var s shardFlag
			got := ""
			if err := s.Set(c.text); err != nil {
				got = "error: " + err.Error()
			} else {
				got = s.String()
			}
			if text, isError := strings.CutPrefix(c.want, "error: "); isError && !(strings.HasPrefix(got, "error: ") && strings.Contains(got, text)) || !isError && got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
