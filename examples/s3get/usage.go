package main

import (
	"fmt"
	"strings"
)

const usage = `s3get downloads S3 objects with a pool of worker processes.

Usage:
  s3get [flags] s3://bucket/key [file]         to file, or to the last part of the key
  s3get [flags] s3://bucket/key... -d dir      to files in dir
  s3get [flags] --recursive s3://bucket/prefix/ dir

Source:
  --region name            default: that of the environment or the profile, or us-east-1
  --endpoint url           of a server other than AWS, such as http://127.0.0.1:9000
  --profile name           in the shared configuration, ~/.aws/config
  --no-sign-request        send no credentials, for public buckets

Selection:
  -d dir                   write the files to dir, which is created if necessary
  -r, --recursive          download every object below the prefix
  --include glob           with --recursive: only objects that match one of these ...
  --exclude glob           ... and none of these; both may be repeated
  --flat                   with --recursive: no objects in subdirectories
  --skip-unchanged         with --recursive: skip objects whose file has the size and
                           the time that an earlier --skip-unchanged has set
  --stop-on-error          with --recursive: stop at the first failure

Download:
  --workers n              worker processes (default 10)
  --requests-per-worker n  concurrent requests in each worker (default 1)
  --chunk size             size of a range, such as 8MiB or 64M (default 8MiB)
  --threshold size         split objects of this size or more (default 8MiB)
  --verify mode            auto, required or off (default auto)
  --resume                 keep the received bytes of a download that fails or is
                           canceled, and resume from those that an earlier run kept

Output:
  --json                   one JSON object per line, on standard output
  -q, --quiet              only errors
  --version                the version of this program

In a glob, * and ? match anything but a slash, ** matches anything, [a-z] is a class.
A glob with a slash is compared with the key without the prefix, any other glob with
the last part of the key. Units: B, K or KiB (1024), KB (1000), M, MiB, MB, G, GiB, GB.

Exit status:
    0  all files are complete
    1  a download failed
    2  the command line or the configuration is wrong, and nothing was started
  130  Ctrl-C has canceled downloads (143: SIGTERM, 129: the terminal was closed).
       A second Ctrl-C ends s3get at once.

Errors, by the code that --json prints, and what to do:
`

// help returns what -help prints: usage, and the table of errors.
func help() string {
	var b strings.Builder
	b.WriteString(usage)
	for _, a := range advices {
		fmt.Fprintf(&b, "  %s\n", a.name())
		for _, line := range wrap(a.todo, 82) {
			fmt.Fprintf(&b, "      %s\n", line)
		}
	}
	return b.String()
}

// name returns the codes of a row.
func (a *advice) name() string {
	s := strings.Join(a.codes, ", ")
	if a.only != nil && a.only.name != "" {
		s += " " + a.only.name
	}
	return s
}

// wrap breaks text into lines of at most a number of columns.
func wrap(text string, columns int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > columns {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
