package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/s3processpool/processpool"
)

// arguments holds the command line.
type arguments struct {
	region, endpoint, profile string
	unsigned                  bool

	recursive, flat, skipUnchanged, stopOnError bool
	include, exclude                            globs

	workers, requests int
	chunk, threshold  size
	verify            verifyMode
	resume            bool

	json, quiet, version bool

	sources []source
	dir     string // of the files; "": the working directory
	file    string // of the only source; "": not named
}

// Errors of parse that are none.
var (
	errHelp    = errors.New("help requested")
	errVersion = errors.New("version requested")
)

// parse parses the command line. Its errors are one line and say what to do. With an error the
// arguments are incomplete, but tell whether the error is to be printed as JSON.
func parse(args []string) (*arguments, error) {
	a := &arguments{workers: 10, requests: 1, chunk: 8 << 20, threshold: 8 << 20}
	flags := flag.NewFlagSet("s3get", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&a.region, "region", "", "")
	flags.StringVar(&a.endpoint, "endpoint", "", "")
	flags.StringVar(&a.profile, "profile", "", "")
	flags.BoolVar(&a.unsigned, "no-sign-request", false, "")
	flags.StringVar(&a.dir, "d", "", "")
	flags.BoolVar(&a.recursive, "recursive", false, "")
	flags.BoolVar(&a.recursive, "r", false, "")
	flags.Var(&a.include, "include", "")
	flags.Var(&a.exclude, "exclude", "")
	flags.BoolVar(&a.flat, "flat", false, "")
	flags.BoolVar(&a.skipUnchanged, "skip-unchanged", false, "")
	flags.BoolVar(&a.stopOnError, "stop-on-error", false, "")
	flags.IntVar(&a.workers, "workers", a.workers, "")
	flags.IntVar(&a.requests, "requests-per-worker", a.requests, "")
	flags.Var(&a.chunk, "chunk", "")
	flags.Var(&a.threshold, "threshold", "")
	flags.Var(&a.verify, "verify", "")
	flags.BoolVar(&a.resume, "resume", false, "")
	flags.BoolVar(&a.json, "json", false, "")
	flags.BoolVar(&a.quiet, "quiet", false, "")
	flags.BoolVar(&a.quiet, "q", false, "")
	flags.BoolVar(&a.version, "version", false, "")

	rest, err := interspersed(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return a, errHelp
	case a.version:
		return a, errVersion
	case err != nil:
		return a, fmt.Errorf("%w (-help lists the flags)", err)
	}
	if err := a.check(flags); err != nil {
		return a, err
	}
	return a, a.place(rest)
}

// interspersed parses flags before, between and after the other arguments, up to a "--". It goes on
// after an error, for the sake of a later --json, and returns the first one.
func interspersed(flags *flag.FlagSet, args []string) (rest []string, first error) {
	var last []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, last = args[:i], args[i+1:]
	}
	for {
		err := flags.Parse(args)
		if first == nil {
			first = err
		}
		if flags.NArg() == 0 {
			return append(rest, last...), first
		}
		switch left := flags.Args(); {
		case err == nil:
			rest, args = append(rest, left[0]), left[1:]
		case len(left) == len(args): // Parse does not skip what it cannot read, such as ---
			args = left[1:]
		default:
			args = left
		}
	}
}

func (a *arguments) check(flags *flag.FlagSet) error {
	if !a.recursive {
		for _, name := range []string{"include", "exclude", "flat", "skip-unchanged", "stop-on-error"} {
			if given(flags, name) {
				return fmt.Errorf("--%s needs --recursive", name)
			}
		}
	}
	switch {
	case a.workers < 1:
		return fmt.Errorf("--workers is %d: it must be at least 1", a.workers)
	case a.requests < 1:
		return fmt.Errorf("--requests-per-worker is %d: it must be at least 1", a.requests)
	case a.json && a.quiet:
		return errors.New("--json and --quiet contradict each other: use one of them")
	case a.unsigned && a.profile != "":
		return errors.New("--no-sign-request and --profile contradict each other: use one of them")
	case a.endpoint == "":
		return nil
	}
	if u, err := url.Parse(a.endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("--endpoint is %q: it must be a URL such as http://127.0.0.1:9000", a.endpoint)
	}
	return nil
}

func given(flags *flag.FlagSet, name string) (set bool) {
	flags.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

// place processes the arguments that are not flags: the sources, and then at most one destination.
func (a *arguments) place(rest []string) error {
	var names []string
	for i, arg := range rest {
		if !strings.HasPrefix(arg, scheme) {
			names = rest[i:]
			break
		}
		s, err := parseSource(arg)
		if err != nil {
			return err
		}
		a.sources = append(a.sources, s)
	}
	switch {
	case len(a.sources) == 0 && len(names) > 0:
		return fmt.Errorf("%q is not an object: write s3://bucket/key first", names[0])
	case len(a.sources) == 0:
		return errors.New("nothing to download: name an object as s3://bucket/key (see -help)")
	case len(names) > 1:
		return fmt.Errorf("%q is one argument too many: name objects first, then one file or directory", names[1])
	case len(names) == 1 && names[0] == "-", a.dir == "-":
		return errors.New("standard output (-) is not supported yet: name a file, or write ./- for a file of that name")
	case len(names) == 1 && names[0] == "":
		return errors.New("the destination is empty: name a file or a directory")
	case len(names) == 1 && a.dir != "":
		return fmt.Errorf("%q and -d %q are two destinations: use one of them", names[0], a.dir)
	case a.recursive:
		return a.placeTree(names)
	case len(names) == 1 && len(a.sources) > 1:
		return fmt.Errorf("%q cannot hold %d objects: name a directory with -d", names[0], len(a.sources))
	case len(names) == 1:
		a.file = names[0]
	}
	return a.placeFiles()
}

func (a *arguments) placeTree(names []string) error {
	if len(names) == 1 {
		a.dir = names[0]
	}
	switch {
	case len(a.sources) > 1:
		return errors.New("--recursive takes one s3://bucket/prefix/: run s3get once for each")
	case a.dir == "":
		return errors.New("--recursive needs a directory: add it after the prefix")
	}
	// As in cp and the AWS CLI, photos means the directory photos/.
	if key := &a.sources[0].key; *key != "" && !strings.HasSuffix(*key, "/") {
		*key += "/"
	}
	return nil
}

// verifyMode is a flag.Value.
type verifyMode struct{ processpool.VerifyMode }

func (v *verifyMode) Set(text string) error {
	for _, mode := range []processpool.VerifyMode{processpool.VerifyAuto, processpool.VerifyRequired, processpool.VerifyOff} {
		if text == mode.String() {
			v.VerifyMode = mode
			return nil
		}
	}
	return errors.New("want auto, required or off")
}
