//go:build linux

package chaos

import (
	"fmt"
	"sync"

	"github.com/s3processpool/processpool/fleet/internal/test/site"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// begin plans, with the planner's faults, and starts the workers.
func (r *run) begin() {
	r.Helper()
	p := r.plan.planner
	if p.early { // an empty run, for the workers to open
		r.kill(r.atPage(1))
		for node := range nodes {
			r.start(node)
		}
	}
	if p.killAt > 0 {
		r.kill(r.atPage(p.killAt))
		r.count.fault("planner: killed")
	}
	planners := []*site.Process{r.Start(r.planArgs()...)}
	if p.twice {
		r.count.fault("planner: two at once")
		planners = append(planners, r.Start(r.planArgs()...))
	}
	ended := 0
	for _, planner := range planners {
		<-planner.Ended()
		if planner.ProcessState.ExitCode() == 0 {
			ended++
		} else {
			r.Text("a planner of two", planner.Stderr.String(), "another program plans the same run")
		}
	}
	if ended == 0 {
		r.Errorf("no planner has ended: %s", &planners[0].Stderr)
	}
	_, out := r.Fleet(0, r.planArgs()...)
	r.Text("plan again", out, fmt.Sprintf("run r: %d objects", objects), "planned before")
	if !p.early {
		for node := range nodes {
			r.start(node)
		}
	}
}

// atPage starts a planner, and waits until it waits for a page of the listing.
func (r *run) atPage(page int) *site.Process {
	r.Helper()
	gate := make(chan struct{})
	lists := make(chan struct{}, 1)
	r.Origin.Inject(s3test.Fault{
		Match: func(q s3test.Request) bool { return q.Key == "" }, Skip: page - 1, Times: 1, Gate: gate, Status: 500,
		Do: func(*s3test.Server, s3test.Request) { lists <- struct{}{} },
	})
	planner := r.Start(r.planArgs()...)
	select {
	case <-lists:
	case <-planner.Ended():
		// A planner that goes on behind others makes fewer requests.
	}
	r.Cleanup(sync.OnceFunc(func() { close(gate) }))
	return planner
}

func (r *run) kill(p *site.Process) {
	_ = p.Process.Kill()
	<-p.Ended()
}
