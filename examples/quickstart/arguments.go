package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"
)

const usage = `Usage: quickstart [-workers n]
       quickstart -bucket name -key key -file name [-endpoint url] [-region name] [-workers n]

Without -bucket it downloads from an S3 origin that it starts on this machine.
`

// arguments holds the command line.
type arguments struct {
	bucket, key, file string
	endpoint, region  string
	workers           int
}

var errHelp = errors.New("help requested")

// parse parses the command line. Its errors are one line and say what to do.
func parse(args []string) (arguments, error) {
	var a arguments
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&a.bucket, "bucket", "", "")
	flags.StringVar(&a.key, "key", "", "")
	flags.StringVar(&a.file, "file", "", "")
	flags.StringVar(&a.endpoint, "endpoint", "", "")
	flags.StringVar(&a.region, "region", "", "")
	flags.IntVar(&a.workers, "workers", 10, "")
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return a, errHelp
	}
	if err != nil {
		return a, fmt.Errorf("%w (-help lists the flags)", err)
	}
	return a, a.check(flags.Args())
}

func (a arguments) check(rest []string) error {
	var missing []string
	for _, f := range []struct{ name, value string }{
		{"-bucket", a.bucket}, {"-key", a.key}, {"-file", a.file},
	} {
		if f.value == "" {
			missing = append(missing, f.name)
		}
	}
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q is not a flag: name the object with -bucket, -key and -file", rest[0])
	case a.workers < 1:
		return fmt.Errorf("-workers is %d: it must be at least 1", a.workers)
	case len(missing) > 0 && len(missing) < 3:
		return fmt.Errorf("-bucket, -key and -file go together: set %s, too", strings.Join(missing, " and "))
	case len(missing) == 3 && (a.endpoint != "" || a.region != ""):
		return errors.New("-endpoint and -region are for a download from S3: set -bucket, -key and -file, too")
	case a.endpoint == "":
		return nil
	}
	if u, err := url.Parse(a.endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("-endpoint is %q: it must be a URL such as http://127.0.0.1:9000", a.endpoint)
	}
	return nil
}
