//go:build linux

package chaos

import (
	"fmt"
	"slices"
)

// asked returns the bytes that requests have asked for, without those for poisoned objects.
func (r *run) asked() (total int64) {
	sizes := map[string]int64{}
	for _, o := range r.plan.objects {
		if o.poison == "" {
			sizes["p/"+o.name] = o.size
		}
	}
	for _, q := range r.Origin.Requests() {
		if q.Method != "GET" {
			continue
		}
		n := sizes[q.Key]
		var first, last int64
		if _, err := fmt.Sscanf(q.Range, "bytes=%d-%d", &first, &last); err == nil && n > 0 {
			n = min(n, last+1) - first
		}
		total += n
	}
	return total
}

func (r *run) wantBytes() {
	r.Helper()
	ideal := int64(0)
	for _, o := range r.plan.objects {
		if o.poison == "" {
			ideal += o.size
		}
	}
	again, allowed := r.asked()-ideal, r.allowance()
	if again < 0 || again > allowed {
		r.Errorf("asked for %d bytes more than the objects have, want at most %d", again, allowed)
	}
	r.count.mu.Lock()
	defer r.count.mu.Unlock()
	r.count.ideal += ideal
	r.count.fetched += ideal + again
	if again > 0 {
		r.count.worst = max(r.count.worst, float64(again)/float64(allowed))
	}
}

// allowance is how many bytes may be fetched more than once.
//
// A worker that was killed costs what its slots had under way. A range counts as fetched when it is on
// stable storage, and the next one has begun by then: two chunks a slot. So does a file when it is
// marked, just after the rename: one object. On a directory of its own, all of a message counts
// when the message does, which goes to another node.
//
// What a stopped worker holds may be fetched by it and by another one; what all hold, when the server
// was away and has forgotten the time.
func (r *run) allowance() (total int64) {
	slots := int64(r.plan.processes * r.plan.requests)
	held := r.messages(int(slots) + 1)
	for _, e := range r.happened {
		switch {
		case e.kind == killProcess:
			total += int64(r.plan.requests) * r.plan.chunk
		case e.kind == killWorker && r.plan.shared && r.dirs[e.node] == r.Dir:
			total += slots*2*r.plan.chunk + r.messages(1)
		case e.kind == killServer:
			total += r.messages(nodes * (int(slots) + 1))
		default:
			total += held
		}
	}
	return total
}

// messages returns the bytes of the n largest messages.
func (r *run) messages(n int) (total int64) {
	const small, batch = 1 << 20, 100
	var single, together []int64
	for _, o := range r.plan.objects {
		if o.size > small {
			single = append(single, o.size)
		} else {
			together = append(together, o.size)
		}
	}
	slices.SortFunc(together, func(a, b int64) int { return int(b - a) })
	for b := range slices.Chunk(together, batch) {
		sum := int64(0)
		for _, size := range b {
			sum += size
		}
		single = append(single, sum)
	}
	slices.SortFunc(single, func(a, b int64) int { return int(b - a) })
	for _, size := range single[:min(n, len(single))] {
		total += size
	}
	return total
}
