package main

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/pflag"

	"github.com/s3processpool/processpool/internal/tool/show"
)

// arguments holds the command line, and what the environment and the file of defaults add to it.
type arguments struct {
	region, endpoint, profile string
	unsigned                  bool
	payer                     payer
	versionID                 string
	byteRange                 byteRange
	digests                   digests
	raw                       bool

	recursive, flat, skipUnchanged, stopOnError bool
	include, exclude                            globs
	shard                                       shardFlag
	dryRun, skipArchived, deleteExtra           bool

	noClobber, ifChanged bool

	workers, requests int
	chunk, threshold  show.Size
	verify            verifyMode
	resume            bool
	retry             int // 0: the library's default
	directIO          bool
	limitRate         byteRate
	adaptive          bool
	sandbox           sandboxMode
	nice              int

	json, quiet, stat bool
	logLevel          logLevel
	config            string // "": the usual place

	list, columns, bucket string // of run
	format                listFormat

	sources []source
	dir     string // of the files; "": the working directory
	file    string // of the only source; "": not named

	given map[string]bool // the flags on the command line
}

func newArguments() *arguments {
	return &arguments{workers: 10, requests: 1, chunk: 8 << 20, threshold: 8 << 20}
}

// note remembers which flags are on the command line.
func (a *arguments) note(flags *pflag.FlagSet) {
	a.given = map[string]bool{}
	flags.Visit(func(f *pflag.Flag) { a.given[f.Name] = true })
}

// check returns what is wrong with the flags, whatever the command. The library checks the rest.
func (a *arguments) check() error {
	switch {
	case a.workers < 1:
		return fmt.Errorf("--workers is %d: it must be at least 1", a.workers)
	case a.requests < 1:
		return fmt.Errorf("--requests-per-worker is %d: it must be at least 1", a.requests)
	case a.retry < 0:
		return fmt.Errorf("--retry is %d: it must be at least 1", a.retry)
	case a.json && a.quiet:
		return errors.New("--json and --quiet contradict each other: use one of them")
	case a.unsigned && a.profile != "":
		return errors.New("--no-sign-request and --profile contradict each other: use one of them")
	case a.noClobber && a.ifChanged:
		return errors.New("--no-clobber and --if-changed contradict each other: use one of them")
	case a.endpoint == "":
		return nil
	}
	if u, err := url.Parse(a.endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("--endpoint is %q: it must be a URL such as http://127.0.0.1:9000", a.endpoint)
	}
	return nil
}

// singles are the flags that belong to a single object.
var singles = []string{"range", "version-id", "checksum"}

// checkSelection refuses flags on the command line that concern only what is listed, or only a
// single object.
func (a *arguments) checkSelection() error {
	if !a.listing() {
		for _, name := range []string{"include", "exclude"} {
			if a.given[name] {
				return fmt.Errorf("--%s needs --recursive, or a wildcard in the source", name)
			}
		}
	}
	if !a.recursive {
		for _, name := range []string{"flat", "skip-unchanged"} {
			if a.given[name] {
				return fmt.Errorf("--%s needs --recursive", name)
			}
		}
	}
	if len(a.sources) > 1 || a.listing() {
		for _, name := range singles {
			if a.given[name] {
				return fmt.Errorf("--%s needs a single object: run s3get once for each", name)
			}
		}
	}
	return nil
}

// listing reports whether a source is a prefix, or has a wildcard.
func (a *arguments) listing() bool {
	if a.recursive {
		return true
	}
	for _, s := range a.sources {
		if s.pattern != "" {
			return true
		}
	}
	return false
}

// checkDelete refuses --delete with what would have it remove files that are wanted.
func (a *arguments) checkDelete() error {
	switch {
	case !a.deleteExtra:
		return nil
	case a.shard.n > 1:
		return errors.New("--delete and --shard contradict each other: the other parts' files would be removed")
	case len(a.include) > 0:
		return errors.New("--delete and --include contradict each other: use --exclude, whose files stay")
	}
	return nil
}
