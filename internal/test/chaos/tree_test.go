//go:build linux

package chaos

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// tree is a DownloadDirectory that runs concurrently with the downloads of a run.
type tree struct {
	sizes       []int64
	orders      []*order
	cancel      int // number of the request at which it is canceled; 0: never
	stopOnError bool

	dir       string
	all       *processpool.Directory
	submitted chan struct{}      // closed when all is set
	versions  map[string]version // by the file's name below dir
}

const root = "tree/"

func (p *plan) newTree(d dice) *tree {
	t := &tree{stopOnError: d.chance(30)}
	for range d.IntN(30) {
		t.sizes = append(t.sizes, pick(d, []int64{0, 1, p.chunk, p.threshold - 1, p.threshold, 2*p.chunk + 1}))
	}
	for n := range d.IntN(5) {
		k := pick(d, passing)
		if strings.HasPrefix(k.name, "long body") || k.name == "small Content-Length" {
			continue // a small object has no HeadObject to compare with
		}
		o := &order{kind: k, times: 1 + d.IntN(2), skip: d.IntN(len(t.sizes) + 1), at: d.Int64N(p.chunk)}
		if k.name == "redirect" {
			o.times, o.at = 1, int64(100+n) // never to the current region
		}
		t.orders = append(t.orders, o)
	}
	if d.chance(15) {
		t.cancel = 1 + d.IntN(20)
	}
	return t
}

func (t *tree) String() string {
	return fmt.Sprintf("tree of %d, sizes %d, cancel %d, stop on error %t, %v", len(t.sizes), t.sizes, t.cancel, t.stopOnError, t.orders)
}

func (t *tree) prepare(r *run) {
	t.dir, t.versions, t.submitted = filepath.Join(r.TempDir(), "tree"), map[string]version{}, make(chan struct{})
	for n, size := range t.sizes {
		name := t.file(n)
		o := object{algorithm: "crc64nvme", size: size}
		t.versions[name] = o.put(r.origin, root+name, r.plan.seed<<16+r.serial.Add(1), size)
	}
	for _, o := range t.orders {
		f := s3test.Fault{Skip: o.skip, Times: o.times}
		f.Match = func(q s3test.Request) bool {
			list := q.Key == "" && strings.HasPrefix(q.Query.Get("prefix"), root)
			switch {
			case o.page != nil:
				return list
			case o.method != "":
				return strings.HasPrefix(q.Key, root) && q.Method == o.method
			}
			return list && o.head || strings.HasPrefix(q.Key, root) && (q.Method == "GET" || o.head)
		}
		if o.page != nil {
			body := o.page(t, o.at)
			f.Body = &body
		} else {
			o.bend(&f, o.at)
		}
		o.fault = r.origin.Inject(f)
	}
	if t.cancel > 0 {
		r.at(t.cancel, func() {
			<-t.submitted
			t.all.Cancel()
		})
	}
}

func (t *tree) submit(r *run) {
	t.all = r.d.DownloadDirectory(context.Background(), bucket, root, t.dir, func(o *processpool.DirectoryOptions) {
		o.StopOnError = t.stopOnError
	})
	close(t.submitted)
}

// judge accepts complete files and explained errors only.
func (t *tree) judge(r *run) {
	err, attempts := t.all.Result(), 2*int(r.token.Load())
	for _, o := range t.orders {
		r.count.faults(o.name, o.fault.Hits())
		attempts += o.fault.Hits()
	}
	r.count.fault("a directory")
	var failed *processpool.DirectoryError
	switch {
	case err == nil:
	case !errors.As(err, &failed):
		r.Errorf("directory: got a %T: %v", err, err)
	default:
		for _, err := range failed.Unwrap() {
			if !t.explained(r, err, attempts) {
				r.Errorf("directory: got %v, which the plan does not explain", err)
			}
		}
	}
	if err == nil && t.contradicts() && !r.excused() {
		r.Errorf("directory: got success though the listing contradicts the objects")
	}
	files := t.files(r)
	if p := t.all.Progress(); err == nil && (files != len(t.sizes) || p.Done != int64(files)) || int64(files) != p.Done {
		r.Errorf("directory: got %d files of %d, %+v, %v", files, len(t.sizes), p, err)
	}
}

func (t *tree) explained(r *run, err error, attempts int) bool {
	for _, o := range t.orders {
		if o.fault.Hits() > 0 && o.ends != nil && o.ends(err) {
			return true
		}
	}
	switch {
	case errors.Is(err, processpool.ErrCanceled):
		return t.cancel > 0 || t.stopOnError
	case errors.Is(err, processpool.ErrShutdown):
		return r.plan.shutdown > 0
	case errors.Is(err, processpool.ErrWorkerLost):
		return r.lethal.Load() >= 3 || r.unstarted()
	case errors.Is(err, processpool.ErrRetriesExceeded):
		return attempts >= r.plan.attempts || r.plan.outage.tooLong()
	}
	return false
}

// files returns the number of files, and checks that each is complete and belongs to an object.
func (t *tree) files(r *run) (n int) {
	err := filepath.WalkDir(t.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		name, _ := filepath.Rel(t.dir, path)
		v, known := t.versions[name]
		if !known {
			r.count.Leftovers++
			r.Errorf("directory: %s was left behind", name)
		} else if err := v.in(path, 0, v.size); err != nil {
			r.count.WrongBytes++
			r.Errorf("directory: WRONG BYTES in %s: %v", name, err)
		}
		return nil
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		r.Error(err)
	}
	return n
}
