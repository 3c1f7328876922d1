package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/s3processpool/processpool/bench/internal/client"
	"github.com/s3processpool/processpool/bench/internal/task"
)

// options holds the command line.
type options struct {
	cases     []measurement
	runs      int
	workers   int
	size      task.Bytes // replaces the size of a case; 0: unchanged
	count     int        // replaces the number of a case; 0: unchanged
	only      *regexp.Regexp
	build     []string
	server    string
	results   string // "": write no reports
	changed   string // a flag that makes the results differ from the committed ones; "": none
	temporary string
	disk      string
	timeout   time.Duration
	lock      string // file; "": none
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	names := flags.String("case", "http1g", "what to measure: `names` with commas between, of "+caseNames())
	flags.IntVar(&o.runs, "runs", 5, "counted `rounds`, after a warm-up round")
	flags.IntVar(&o.workers, "workers", 10, "`number` of connections or processes of each client")
	flags.Var(&o.size, "size", "`size` of an object, such as 64MiB; default: that of the case")
	flags.IntVar(&o.count, "count", 0, "`number` of objects or requests, in cases with several; default: that of the case")
	only := flags.String("clients", "", "`expression` that a client's name must match; the library itself always runs")
	build := flags.String("build", "", "`tools` to build first, once: "+client.Installable())
	flags.StringVar(&o.server, "origin", "", "`server`, nginx or go; default: nginx if it is installed")
	flags.StringVar(&o.results, "results", "", "`folder` for the reports; default: results, or none if another flag changes what is measured")
	flags.StringVar(&o.temporary, "tmp", defaultTemporary(), "`folder` for objects and downloads, best in memory")
	flags.StringVar(&o.disk, "disk", defaultDisk(), "`folder` for downloads to a disk")
	flags.DurationVar(&o.timeout, "timeout", 5*time.Minute, "`time` after which a client has failed")
	flags.StringVar(&o.lock, "lock", "", "`file` to lock (flock) during each round, where programs share a machine and take turns")
	flags.Parse(args) // exits on an error

	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q: see -h", flags.Arg(0))
	}
	o.setResults(flags)
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

// setResults chooses the folder of the reports, unless -results names it. The default, results,
// holds the committed reports. A run that does not measure the same must not replace them.
func (o *options) setResults(flags *flag.FlagSet) {
	given := o.results != ""
	flags.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "case", "build", "results", "timeout", "lock":
		default:
			o.changed = "-" + f.Name
		}
	})
	if !given && o.changed == "" {
		o.results = "results"
	}
}

// defaultDisk returns a folder that normally is on a disk.
func defaultDisk() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return os.TempDir()
	}
	return dir
}

// defaultTemporary returns a folder in memory if there is one, because the disk is not to be
// measured.
func defaultTemporary() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return os.TempDir()
}
