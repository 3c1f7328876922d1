//go:build linux

package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

const (
	objects = 2000
	nodes   = 3
	largest = 64 << 20
)

// plan is what is drawn for one run.
type plan struct {
	seed                uint64
	objects             []object
	shared              bool // the nodes have one directory; else each has its own
	full                bool // node 0 has a small disk of its own
	processes, requests int
	chunk               int64
	ackWait             time.Duration
	planner             planner
	events              []event // by their time
}

// object is below p/ in bucket b. Its content is the pattern of its number.
type object struct {
	name   string
	size   int64
	poison string // why it cannot be downloaded; "": it can
}

// planner says what happens while the run is planned.
type planner struct {
	killAt int  // page of the listing at which the first planner is killed; 0: it is not
	twice  bool // two at once
	early  bool // the workers start before the plan
}

// event is a fault that comes when so many GETs were made.
type event struct {
	gets int
	kind string
	node int
	long bool // longer than the ack wait
}

// The kinds of events.
const (
	killWorker  = "kill -9 of a worker"
	killProcess = "kill -9 of a process of a worker"
	killServer  = "kill -9 of the server"
	stopWorker  = "SIGSTOP of a worker"
	stopAll     = "SIGSTOP of a worker and its processes"
)

func newPlan(seed uint64) *plan {
	d := rand.New(rand.NewPCG(seed, 1))
	chance := func(percent int) bool { return d.IntN(100) < percent }
	p := &plan{
		seed: seed, shared: chance(50), full: chance(25), processes: 1 + d.IntN(3), requests: 1 + d.IntN(2),
		chunk: []int64{1 << 20, 4 << 20, 8 << 20}[d.IntN(3)], ackWait: time.Duration(3+d.IntN(2)) * time.Second,
		planner: planner{twice: chance(25), early: chance(25)},
	}
	if chance(50) {
		p.planner.killAt = 1 + d.IntN(objects/pageSize)
	}
	p.drawObjects(d)
	kinds := []string{killWorker, killWorker, killWorker, killProcess, killServer, killServer, stopWorker, stopAll}
	for range 2 + d.IntN(5) {
		p.events = append(p.events, event{gets: d.IntN(objects), kind: kinds[d.IntN(len(kinds))], node: d.IntN(nodes), long: chance(50)})
	}
	slices.SortStableFunc(p.events, func(a, b event) int { return a.gets - b.gets })
	return p
}

func (p *plan) drawObjects(d *rand.Rand) {
	pad := strings.Repeat("-", d.IntN(150)) // the longer the names, the more entries has the plan
	for i := range objects {
		size := d.Int64N(32 << 10)
		switch d.IntN(100) {
		case 0:
			size = []int64{1<<20 - 1, 1 << 20, 1<<20 + 1, p.chunk - 1, p.chunk, p.chunk + 1}[d.IntN(6)]
		case 1, 2:
			size = d.Int64N(2 << 20)
		case 3, 4, 5:
			size = []int64{0, 0, 1}[d.IntN(3)]
		}
		p.objects = append(p.objects, object{name: fmt.Sprintf("%d/%s%04d", i%7, pad, i), size: size})
	}
	for range 1 + d.IntN(3) {
		p.objects[d.IntN(objects)].size = p.chunk + d.Int64N(largest-p.chunk)
	}
	p.objects[d.IntN(objects)].size = largest
	for range d.IntN(4) {
		o := &p.objects[d.IntN(objects)]
		if o.poison = []string{"403", "404", "checksum"}[d.IntN(3)]; o.size == 0 {
			o.size = 1
		}
	}
}

func (p *plan) String() string {
	return fmt.Sprintf("shared %v, full %v, %d processes of %d requests, chunk %d, ack wait %v, planner %+v, events %+v",
		p.shared, p.full, p.processes, p.requests, p.chunk, p.ackWait, p.planner, p.events)
}
