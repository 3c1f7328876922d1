package client

import (
	"path/filepath"
	"strconv"

	"github.com/s3processpool/processpool/bench/internal/task"
)

// Fleet returns s3fleet run with its server in the process, with a number of workers of t.Workers
// processes each. It downloads all that is below the prefix of the Task's Key, or what a list has if
// that is not "".
func (k *Kit) Fleet(name string, workers int, list string) Client {
	return Client{Name: name, Kind: Subject, args: func(t task.Task) ([]string, error) {
		source := list
		if source == "" {
			source = address(t)
		}
		return []string{
			k.Own("s3fleet"), "run", source, destination(t), "--workers", strconv.Itoa(workers),
			"--processes", strconv.Itoa(t.Workers), "--requests", strconv.Itoa(t.Requests), "--endpoint", t.URL,
			"--store", filepath.Join(destination(t), ".server"), // it is new in each run
		}, nil
	}}
}
