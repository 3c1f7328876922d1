package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/s3processpool/processpool"
)

// shardFlag is the value of --shard: part i of n. n is 0 without it.
type shardFlag struct {
	i, n int
	mine func(key string) bool
}

func (s shardFlag) wants(key string) bool { return s.n == 0 || s.mine(key) }

func (*shardFlag) Type() string { return "i/n" }

func (s *shardFlag) String() string {
	if s.n == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.i, s.n)
}

func (s *shardFlag) Set(text string) (err error) {
	index, count, slash := strings.Cut(text, "/")
	var i, n uint64
	if index == "auto" {
		if i, n, err = arrayJob(os.Getenv, count); err != nil {
			return err
		}
	} else {
		var errN error
		i, err = strconv.ParseUint(index, 10, 31)
		n, errN = strconv.ParseUint(count, 10, 31)
		switch {
		case !slash || err != nil || errN != nil || n == 0:
			return errors.New("want i/n, such as 0/4, or auto or auto/n")
		case i >= n:
			return fmt.Errorf("the parts of %d are 0 to %d", n, n-1)
		}
	}
	mine, err := processpool.Shard(int(i), int(n))
	*s = shardFlag{int(i), int(n), mine}
	return err
}

// arrays are the systems that run one job many times and tell each run which one it is.
var arrays = []struct{ index, count, first, step string }{
	{index: "JOB_COMPLETION_INDEX"}, // Kubernetes does not tell spec.completions
	{"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP"},
	{index: "AWS_BATCH_JOB_ARRAY_INDEX", count: "AWS_BATCH_JOB_ARRAY_SIZE"},
}

// arrayJob reads the part from the environment. count is the number of parts; "": the environment
// has it.
func arrayJob(getenv func(string) string, count string) (part, of uint64, err error) {
	for _, a := range arrays {
		if getenv(a.index) == "" {
			continue
		}
		number := func(name, text string, otherwise uint64) (uint64, error) {
			if name == "" || text == "" {
				return otherwise, nil
			}
			n, err := strconv.ParseUint(text, 10, 31)
			if err != nil {
				return 0, fmt.Errorf("%s is %q, and no number", name, text)
			}
			return n, nil
		}
		name, text := "the number of parts", count
		if count == "" {
			if name, text = a.count, getenv(a.count); text == "" {
				return 0, 0, fmt.Errorf("%s is set, but nothing tells how many parts there are: write auto/n", a.index)
			}
		}
		i, err := number(a.index, getenv(a.index), 0)
		n, err1 := number(name, text, 0)
		first, err2 := number(a.first, getenv(a.first), 0)
		step, err3 := number(a.step, getenv(a.step), 1)
		switch err := errors.Join(err, err1, err2, err3); {
		case err != nil:
			return 0, 0, err
		case n == 0 || step == 0 || i < first || (i-first)%step != 0 || (i-first)/step >= n:
			return 0, 0, fmt.Errorf("%s is %d, which is none of %d parts", a.index, i, n)
		}
		return (i - first) / step, n, nil
	}
	return 0, 0, errors.New("auto needs JOB_COMPLETION_INDEX, SLURM_ARRAY_TASK_ID or AWS_BATCH_JOB_ARRAY_INDEX in the environment")
}
