package main

import (
	"errors"
	"flag"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/s3processpool/processpool/bench/internal/task"
)

// options are the command line.
type options struct {
	cases     []measurement
	runs      int
	workers   int
	size      task.Bytes // in place of a case's own; 0: the case's
	count     int        // likewise
	only      *regexp.Regexp
	build     []string
	server    string
	results   string
	temporary string
	timeout   time.Duration
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	names := flags.String("case", "http1g", "what to measure: `names` with commas between, of "+caseNames())
	flags.IntVar(&o.runs, "runs", 5, "counted `rounds`, after one to warm up")
	flags.IntVar(&o.workers, "workers", 10, "`number` of connections of each client, or of its processes")
	flags.Var(&o.size, "size", "`size` of an object in place of the case's, such as 64MiB")
	flags.IntVar(&o.count, "count", 0, "`number` of objects or requests in place of the case's, where there are several")
	only := flags.String("clients", "", "`expression` that a client's name must match; the library itself always runs")
	build := flags.String("build", "", "`tools` to build first where they are not installed: rclone")
	flags.StringVar(&o.server, "origin", "", "`server`, nginx or go; default: nginx where it is installed")
	flags.StringVar(&o.results, "results", "results", "`folder` for what is found")
	flags.StringVar(&o.temporary, "tmp", defaultTemporary(), "`folder` for objects and downloads, best in memory")
	flags.DurationVar(&o.timeout, "timeout", 5*time.Minute, "a client that takes longer has failed")
	flags.Parse(args) // ends the program on an error

	if flags.NArg() > 0 {
		return o, errors.New("arguments go behind a flag: see -h")
	}
	if o.runs < 1 || o.workers < 1 {
		return o, errors.New("-runs and -workers must be 1 or more")
	}
	o.build = strings.FieldsFunc(*build, isComma)
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, err
	}
	o.cases, err = choose(*names)
	return o, err
}

// defaultTemporary is in memory where there is such a folder: a disk is not what is
// measured.
func defaultTemporary() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return os.TempDir()
}
