//go:build linux

package chaos

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/s3processpool/processpool/fleet/internal/test/site"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// pageSize is how many keys a page of the listing has: a planner makes 20 requests.
const pageSize = objects / 20

// run is a plan that is carried out.
type run struct {
	*site.Site
	plan   *plan
	count  *figures
	server *site.Process
	store  string // the server's directory
	url    string
	dirs   []string // by node
	gets   *counter

	workers []*site.Process // by node: the last one
	all     []*site.Process

	happened []event
	kills    int // of workers
}

// host is where servers listen. Connections of clients do not come from it, so that the port is
// free when a server is started again.
const host = "127.0.0.2:0"

func perform(t *testing.T, p *plan, count *figures) {
	r := &run{Site: site.New(t, func(o *s3test.Options) { o.PageSize = pageSize }), plan: p, count: count}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("again: go test ./internal/test/chaos -v -run Chaos -fleet.runs 1 -fleet.seed %d\n%v", p.seed, p)
			for i, w := range r.all {
				t.Logf("worker %d of %d, %v: %s%s", i, len(r.all), w.ProcessState, &w.Stdout, &w.Stderr)
			}
		}
	})
	r.put()
	r.gets = newCounter(r.Origin)
	r.store = t.TempDir()
	r.server, r.url = r.Serve(r.store, host)
	for node := range nodes {
		r.dirs = append(r.dirs, r.Dir)
		switch {
		case node == 0 && p.full:
			r.dirs[node] = site.Small(t, "2m")
		case !p.shared:
			r.dirs[node] = filepath.Join(r.Dir, strconv.Itoa(node))
		}
	}
	r.begin()
	for _, e := range p.events {
		r.happen(e)
	}
	r.end()
	r.judge()
	r.requeue()
	r.again()
}

// put puts the objects into the bucket, with their faults.
func (r *run) put() {
	for i, o := range r.plan.objects {
		key := "p/" + o.name
		r.Origin.Put("b", key, r.content(i))
		switch o.poison {
		case "403":
			r.Origin.Inject(s3test.Fault{Key: key, Method: "GET", Status: 403, Code: "AccessDenied"})
		case "404":
			r.Origin.Inject(s3test.Fault{Key: key, Method: "GET", Status: 404, Code: "NoSuchKey"})
		case "checksum":
			r.Origin.Inject(s3test.Fault{Key: key, Method: "GET", Flip: true, FlipAt: o.size / 2})
		default:
			continue
		}
		r.count.fault("object: " + o.poison)
	}
}

func (r *run) content(i int) []byte {
	return s3test.PatternBytes(r.plan.seed<<16+uint64(i), r.plan.objects[i].size)
}

func (r *run) planArgs() []string {
	return []string{"plan", "s3://b/p/", "--nats", r.url, "--run", "r", "--endpoint", r.Origin.URL(), "--ack-wait", r.plan.ackWait.String()}
}

// start starts a worker on a node.
func (r *run) start(node int) {
	r.Helper()
	w := r.Start("work", r.dirs[node], "--nats", r.url, "--run", "r", "--endpoint", r.Origin.URL(), "--node", strconv.Itoa(node), "--max-deliver", "30",
		"--processes", strconv.Itoa(r.plan.processes), "--requests", strconv.Itoa(r.plan.requests), "--chunk", strconv.FormatInt(r.plan.chunk, 10))
	if r.workers == nil {
		r.workers = make([]*site.Process, nodes)
	}
	r.workers[node] = w
	r.all = append(r.all, w)
	go func() {
		<-w.Ended()
		if code := w.ProcessState.ExitCode(); code == 0 || code == 1 {
			r.gets.end()
		}
	}()
}

// running reports whether the worker of a node runs.
func (r *run) running(node int) bool {
	select {
	case <-r.workers[node].Ended():
		return false
	default:
		return true
	}
}

// happen waits until an event is due, and has it happen. An event does not when the run has ended.
func (r *run) happen(e event) {
	r.Helper()
	if !r.gets.reach(e.gets) || e.kind != killServer && !r.running(e.node) {
		return
	}
	r.count.fault(e.kind)
	pause := time.Duration(0)
	if e.long {
		pause = r.plan.ackWait * 3 / 2
	}
	w := r.workers[e.node]
	switch e.kind {
	case killWorker:
		r.kills++
		r.kill(w)
		time.Sleep(pause)
		r.start(e.node)
	case killProcess:
		if pids := children(w.Process.Pid); len(pids) > 0 {
			_ = syscall.Kill(pids[0], syscall.SIGKILL)
		}
	case killServer:
		r.kill(r.server)
		time.Sleep(pause)
		again := ""
		if r.server, again = r.Serve(r.store, host); again != r.url {
			r.Fatalf("got the server at %s, want it at %s", again, r.url)
		}
	case stopWorker, stopAll:
		pids := []int{w.Process.Pid}
		if e.kind == stopAll {
			pids = append(pids, children(w.Process.Pid)...)
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGSTOP)
		}
		time.Sleep(pause + r.plan.ackWait/2)
		for _, pid := range slices.Backward(pids) {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	}
	r.happened = append(r.happened, e)
}

// end waits until all workers have ended.
func (r *run) end() {
	r.Helper()
	dead := 0
	if len(r.poisoned()) > 0 {
		dead = 1
	}
	for node := range nodes {
		for {
			w := r.workers[node]
			select {
			case <-w.Ended():
			case <-time.After(site.Patience):
				r.Fatalf("the worker of node %d still runs", node)
			}
			code := w.ProcessState.ExitCode()
			if code == 2 && strings.Contains(w.Stderr.String(), "NATS server at") { // it came while the server was away
				r.count.fault("worker: no server")
				r.start(node)
				continue
			}
			if node == 0 && r.plan.full && code == 3 {
				r.count.fault("disk: full")
				r.happened = append(r.happened, event{kind: "full disk"})
			} else if code != dead {
				r.Errorf("the worker of node %d: got %v, want status %d", node, w.ProcessState, dead)
			}
			break
		}
	}
}
