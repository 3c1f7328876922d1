// Package task defines what a client program downloads. All client programs have the same command
// line.
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

// Task describes the download of one or several objects.
type Task struct {
	URL    string // of the origin, without a path
	CA     string // file of the origin's CA in PEM; "" for plain HTTP
	Bucket string
	Key    string // key of the object, or prefix of the keys
	File   string // destination, or prefix of the destinations
	Count  int    // number of objects, Key-00000 and on; 0: one object, Key
	Size   int64  // of each object, in bytes

	Workers  int   // connections, or processes of processpool
	Requests int   // requests in flight in one process
	Chunk    int64 // size of a range in bytes
}

// Object is one download of a Task.
type Object struct{ Key, File string }

// Objects returns the downloads of a Task.
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

// Numbered returns the name of object i of several.
func Numbered(name string, i int) string { return fmt.Sprintf("%s-%05d", name, i) }

// Args returns the Task as a command line.
func (t Task) Args() []string {
	return []string{
		"-url", t.URL, "-ca", t.CA, "-bucket", t.Bucket, "-key", t.Key, "-file", t.File,
		"-count", strconv.Itoa(t.Count), "-size", strconv.FormatInt(t.Size, 10),
		"-workers", strconv.Itoa(t.Workers), "-requests", strconv.Itoa(t.Requests),
		"-chunk", strconv.FormatInt(t.Chunk, 10),
	}
}

// Parse parses the command line, including the flags that the program has defined itself.
func Parse() Task {
	var t Task
	flag.StringVar(&t.URL, "url", "", "the origin's `URL`")
	flag.StringVar(&t.CA, "ca", "", "`file` of the origin's CA")
	flag.StringVar(&t.Bucket, "bucket", "", "bucket `name`")
	flag.StringVar(&t.Key, "key", "", "key of the object, or prefix of the keys")
	flag.StringVar(&t.File, "file", "", "destination, or prefix of the destinations")
	flag.IntVar(&t.Count, "count", 0, "`number` of objects; 0: one, without a number in its name")
	flag.Int64Var(&t.Size, "size", 0, "`bytes` of each object")
	flag.IntVar(&t.Workers, "workers", 10, "connections or processes")
	flag.IntVar(&t.Requests, "requests", 1, "requests in flight in one process")
	flag.Int64Var(&t.Chunk, "chunk", 8<<20, "`bytes` of a range")
	flag.Parse()
	return t
}

// Each calls fetch for every object, with at most Workers calls at a time. It calls First when the
// first object is complete.
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

// StartVar is the environment variable with the start time of the program, in nanoseconds since
// 1970.
const StartVar = "BENCH_START"

// First prints the time from the start of the program until now, when its first object is complete.
func First() {
	if start, err := strconv.ParseInt(os.Getenv(StartVar), 10, 64); err == nil {
		fmt.Println("first", time.Since(time.Unix(0, start)).Nanoseconds())
	}
}

// Exit exits with status 0, or prints err and exits with status 1.
func Exit(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
	os.Exit(0)
}
