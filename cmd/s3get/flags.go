package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The titles of the groups of flags in the help.
const (
	sourceTitle    = "Source"
	selectionTitle = "Selection"
	placeTitle     = "Destination"
	downloadTitle  = "Download"
	outputTitle    = "Output"
	otherTitle     = "Other"
)

var titles = []string{sourceTitle, selectionTitle, placeTitle, downloadTitle, outputTitle, otherTitle}

// flagGroup adds flags that belong together to a command.
type flagGroup struct {
	title string
	add   func(*pflag.FlagSet, *arguments)
}

// group is the annotation of a flag that holds its title.
const group = "group"

func (p *program) addFlags(cmd *cobra.Command, groups ...flagGroup) {
	flags := cmd.Flags()
	flags.SortFlags = false
	for _, g := range groups {
		set := pflag.NewFlagSet(g.title, pflag.ContinueOnError)
		set.SortFlags = false
		g.add(set, p.arguments)
		flags.AddFlagSet(set)
		set.VisitAll(func(f *pflag.Flag) { p.inGroup(cmd, f.Name, g.title) })
	}
	for name, values := range choices {
		if flags.Lookup(name) != nil {
			// The only error is that of a flag that does not exist.
			_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
		}
	}
}

func (p *program) inGroup(cmd *cobra.Command, name, title string) {
	_ = cmd.Flags().SetAnnotation(name, group, []string{title}) // the flag exists
}

// choices are the values of flags that a shell completes.
var choices = map[string][]string{
	"verify":        {"auto", "required", "off", "checksums"},
	"sandbox":       {"auto", "required", "off"},
	"log-level":     {"off", "debug", "info", "warn", "error"},
	"format":        {"auto", "lines", "jsonl", "csv"},
	"request-payer": {"requester"},
	"shard":         {"auto"},
}

var sourceFlags = flagGroup{sourceTitle, func(f *pflag.FlagSet, a *arguments) {
	f.StringVar(&a.region, "region", "", "`name` of the region; default: that of the environment or the profile, or us-east-1")
	f.StringVar(&a.endpoint, "endpoint", "", "`url` of a server other than AWS, such as http://127.0.0.1:9000")
	f.StringVar(&a.profile, "profile", "", "`name` in the shared configuration, ~/.aws/config")
	f.BoolVar(&a.unsigned, "no-sign-request", false, "send no credentials, for public buckets")
	f.Var(&a.payer, "request-payer", "`payer` of the requests to a requester-pays bucket: requester")
	f.Lookup("request-payer").NoOptDefVal = "requester"
}}

var objectFlags = flagGroup{sourceTitle, func(f *pflag.FlagSet, a *arguments) {
	f.StringVar(&a.versionID, "version-id", "", "this version of the only object, by its `id`")
	f.Var(&a.digests, "checksum", "`digest` that the only object must have, in hex or base64: sha256:9f86d0...; may be repeated")
	f.Var(&a.byteRange, "range", "only these `bytes` of the only object: 0-1023, or 1024- to its end")
}}

var selectionFlags = flagGroup{selectionTitle, func(f *pflag.FlagSet, a *arguments) {
	f.BoolVar(&a.raw, "raw", false, "* and ? in a source are characters of the key, and no wildcards")
	f.Var(&a.include, "include", "only objects below a prefix that match this `glob`, or another --include ...")
	f.Var(&a.exclude, "exclude", "... and no --exclude `glob`")
	f.Var(&a.shard, "shard", "only the `i/n`-th part of the keys, i from 0 to n-1; auto, auto/n: i from the environment")
	f.BoolVar(&a.dryRun, "dry-run", false, "only print what would be done")
	f.BoolVar(&a.stopOnError, "stop-on-error", false, "stop at the first failure")
	f.BoolVar(&a.skipArchived, "skip-archived", false, "an archived object (GLACIER, DEEP_ARCHIVE) is no failure")
}}

var treeFlags = flagGroup{selectionTitle, func(f *pflag.FlagSet, a *arguments) {
	f.BoolVarP(&a.recursive, "recursive", "r", false, "download every object below the prefix")
	f.BoolVar(&a.flat, "flat", false, "with --recursive: no objects in subdirectories")
	f.BoolVar(&a.skipUnchanged, "skip-unchanged", false, "with --recursive: skip objects whose file has their size and their time, as an earlier --skip-unchanged has set it")
}}

var destinationFlags = flagGroup{placeTitle, func(f *pflag.FlagSet, a *arguments) {
	f.StringVarP(&a.dir, "dir", "d", "", "write the files to `dir`, which is created if necessary")
	f.BoolVar(&a.noClobber, "no-clobber", false, "skip objects whose file exists")
	f.BoolVar(&a.ifChanged, "if-changed", false, "skip objects whose file has their size, time and ETag, as an earlier --if-changed has left it")
}}

var listFlags = flagGroup{sourceTitle, func(f *pflag.FlagSet, a *arguments) {
	f.Var(&a.format, "format", "of the list: auto, lines, jsonl or csv")
	f.StringVar(&a.columns, "columns", "", "`names` of the columns of a CSV file without a heading, as the fileSchema of S3 Inventory")
	f.StringVar(&a.bucket, "bucket", "", "`name` of the bucket of entries that have a key alone")
}}

var downloadFlags = flagGroup{downloadTitle, func(f *pflag.FlagSet, a *arguments) {
	f.IntVar(&a.workers, "workers", a.workers, "`n` worker processes")
	f.IntVar(&a.requests, "requests-per-worker", a.requests, "`n` concurrent requests in each worker")
	f.Var(&a.chunk, "chunk", "`size` of a range, such as 8MiB or 64M")
	f.Var(&a.threshold, "threshold", "split objects of this `size` or more")
	f.Var(&a.verify, "verify", "`mode`: auto, required, off or checksums (not ETags)")
	f.BoolVar(&a.resume, "resume", false, "keep the received bytes of a download that fails or is canceled, and resume from those that an earlier run kept")
	f.IntVar(&a.retry, "retry", 0, "`n` attempts for a request that makes no headway (default 5)")
	f.Var(&a.limitRate, "limit-rate", "read no more than `rate` bytes per second in all, such as 50M")
	f.BoolVar(&a.adaptive, "adaptive", false, "find the number of requests at a time by measuring, up to workers times requests")
	f.BoolVar(&a.directIO, "direct-io", false, "write past the page cache, where the system can")
	f.Var(&a.sandbox, "sandbox", "`mode` of the fence around the workers: auto, required or off")
	f.IntVar(&a.nice, "nice", 0, "added to the workers' niceness: `n` from 0 to 19")
}}

var outputFlags = flagGroup{outputTitle, func(f *pflag.FlagSet, a *arguments) {
	f.BoolVar(&a.json, "json", false, "one JSON object per line, on standard output")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "only errors")
	f.BoolVar(&a.stat, "stat", false, "print the numbers of requests, retries and workers at the end")
	f.Var(&a.logLevel, "log-level", "`level` of the log on standard error: off, debug, info, warn or error")
	f.StringVar(&a.config, "config", "", "`file` with defaults of flags; default: s3get/config below the user's configuration directory")
}}
