// Package task is what a client program is asked to download: the same words on the
// command line of each of them.
package task

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// Task is one or several objects, and how they are fetched.
type Task struct {
	URL    string // of the origin, without a path
	CA     string // file of the origin's CA in PEM; "" over plain HTTP
	Bucket string
	Key    string // the object's, or what the keys of several begin with
	File   string // the destination, or what those of several begin with
	Count  int    // 0: one object; else so many, Key-00000 and on
	Size   int64  // of each object

	Workers  int   // connections or, of processpool, processes
	Requests int   // in flight in one process
	Chunk    int64 // size of a range
}

// Object is one download of a Task.
type Object struct{ Key, File string }

// Objects lists a Task's downloads.
func (t Task) Objects() []Object {
	if t.Count == 0 {
		return []Object{{t.Key, t.File}}
	}
	all := make([]Object, t.Count)
	for i := range all {
		all[i] = Object{Numbered(t.Key, i), Numbered(t.File, i)}
	}
	return all
}

// Numbered is the name of one of several objects.
func Numbered(name string, i int) string { return fmt.Sprintf("%s-%05d", name, i) }

// Args is the Task as a command line.
func (t Task) Args() []string {
	return []string{
		"-url", t.URL, "-ca", t.CA, "-bucket", t.Bucket, "-key", t.Key, "-file", t.File,
		"-count", strconv.Itoa(t.Count), "-size", strconv.FormatInt(t.Size, 10),
		"-workers", strconv.Itoa(t.Workers), "-requests", strconv.Itoa(t.Requests),
		"-chunk", strconv.FormatInt(t.Chunk, 10),
	}
}

// Parse reads the command line, with what flags of its own the program has defined.
func Parse() Task {
	var t Task
	flag.StringVar(&t.URL, "url", "", "the origin's `URL`")
	flag.StringVar(&t.CA, "ca", "", "`file` of the origin's CA")
	flag.StringVar(&t.Bucket, "bucket", "", "bucket `name`")
	flag.StringVar(&t.Key, "key", "", "the object's key, or what the keys begin with")
	flag.StringVar(&t.File, "file", "", "the destination, or what the destinations begin with")
	flag.IntVar(&t.Count, "count", 0, "how many objects; 0 is one, without a number in its name")
	flag.Int64Var(&t.Size, "size", 0, "`bytes` of each object")
	flag.IntVar(&t.Workers, "workers", 10, "connections or processes")
	flag.IntVar(&t.Requests, "requests", 1, "requests in flight in one process")
	flag.Int64Var(&t.Chunk, "chunk", 8<<20, "`bytes` of a range")
	flag.Parse()
	return t
}

// Each calls fetch for every object, Workers at a time, and tells when the first is
// there.
func (t Task) Each(ctx context.Context, fetch func(context.Context, Object) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(t.Workers)
	for i, o := range t.Objects() {
		group.Go(func() error {
			err := fetch(ctx, o)
			if i == 0 && err == nil {
				First()
			}
			return err
		})
	}
	return group.Wait()
}

// StartVar is the environment variable with the time at which the runner started the
// program, in nanoseconds since 1970.
const StartVar = "BENCH_START"

// First prints how long after the program's start the first object was there.
func First() {
	if start, err := strconv.ParseInt(os.Getenv(StartVar), 10, 64); err == nil {
		fmt.Println("first", time.Since(time.Unix(0, start)).Nanoseconds())
	}
}

// Exit ends the program.
func Exit(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
	os.Exit(0)
}
