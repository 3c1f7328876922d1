package flow

import "time"

// Rate shares a limit of bytes a second among the workers that are busy: equally by their jobs, but what
// one does not use goes to the others. The zero Rate has no limit.
//
// Shares alone do not keep to the limit: workers pause between jobs, and are a little behind or ahead
// of theirs. What they have read together is held against the limit, and the shares make up for it.
type Rate struct {
	limit   int64
	members map[int]*member // by seat, those that are busy
	order   []int           // the seats of members
	at      time.Time       // of the last Tick, or of the first member's Join
	ahead   float64         // bytes that the workers are ahead of the limit
}

// member is a worker that is busy, or was since the last Tick.
type member struct {
	jobs  int
	seen  bool    // it had a job since the last Tick
	got   int64   // bytes since the last Tick
	share int64   // bytes a second
	used  float64 // bytes a second, over the last second or so
}

// Every is the time between two Ticks.
const Every = 250 * time.Millisecond

const (
	mostAhead  = 1.0      // of a second's worth, that shares make up for
	mostBehind = 0.25     // the same, of what was not used
	memory     = 0.25     // weight of the last Tick in what a worker uses
	hungry     = 0.6      // part of its share from which on a worker could use more
	room       = 2        // how many times what it uses a worker may have that is not hungry
	leastKnown = 64 << 10 // bytes a second; of a smaller share it does not show what is used
)

// Limit returns the limit, in bytes a second; 0: none.
func (r *Rate) Limit() int64 { return r.limit }

// SetLimit sets the limit, in bytes a second; 0: none.
func (r *Rate) SetLimit(limit int64, now time.Time) {
	r.limit, r.ahead, r.at = limit, 0, now
	for _, m := range r.members {
		m.got, m.share = 0, 0
	}
	r.reshare()
}

// Busy reports whether Tick is to be called in Every.
func (r *Rate) Busy() bool { return r.limit > 0 && len(r.members) > 0 }

// Join notes that a worker has got a job. It reports whether shares have changed.
func (r *Rate) Join(seat int, now time.Time) bool {
	if m := r.members[seat]; m != nil {
		m.jobs++
		m.seen = true
		return false
	}
	if r.members == nil {
		r.members = map[int]*member{}
	}
	if len(r.members) == 0 {
		r.ahead = max(0, r.ahead-now.Sub(r.at).Seconds()*float64(r.limit))
		r.at = now
	}
	r.members[seat] = &member{jobs: 1, seen: true}
	r.order = append(r.order, seat)
	return r.reshare()
}

// Leave notes that a job of a worker has ended.
func (r *Rate) Leave(seat int) {
	if m := r.members[seat]; m != nil && m.jobs > 0 {
		m.jobs--
	}
}

// Gone notes that a worker is gone.
func (r *Rate) Gone(seat int) { r.drop(func(at int, _ *member) bool { return at == seat }) }

// Got counts bytes that a worker has read.
func (r *Rate) Got(seat int, n int64) {
	if m := r.members[seat]; m != nil {
		m.got += n
	}
}

// Share returns a worker's share, in bytes a second; 0: it has none, or there is no limit.
func (r *Rate) Share(seat int) int64 {
	if m := r.members[seat]; m != nil {
		return m.share
	}
	return 0
}

// Fair returns what a job has, in bytes a second, if all use what they may have; 0: there is no limit.
func (r *Rate) Fair() int64 {
	jobs := 0
	for _, m := range r.members {
		jobs += m.jobs
	}
	if r.limit == 0 {
		return 0
	}
	return max(1, r.limit/int64(max(1, jobs)))
}

// Tick looks at what was read since the last Tick, and sets the shares anew.
func (r *Rate) Tick(now time.Time) {
	passed := now.Sub(r.at).Seconds()
	if r.limit == 0 || passed <= 0 {
		return
	}
	r.at = now
	total := int64(0)
	for _, m := range r.members {
		total += m.got
		m.used += memory * (float64(m.got)/passed - m.used)
		m.got = 0
	}
	limit := float64(r.limit)
	r.ahead += float64(total) - limit*passed
	r.ahead = min(max(r.ahead, -mostBehind*limit), mostAhead*limit)
	r.drop(func(_ int, m *member) bool { return m.jobs == 0 && !m.seen })
	for _, m := range r.members {
		m.seen = m.jobs > 0
	}
	r.reshare()
}

func (r *Rate) drop(which func(seat int, m *member) bool) {
	kept := r.order[:0]
	for _, seat := range r.order {
		if which(seat, r.members[seat]) {
			delete(r.members, seat)
			continue
		}
		kept = append(kept, seat)
	}
	r.order = kept
}

// reshare shares out what may be read in the next second. Those who use less than an equal share are
// expected to go on so, and may have a multiple of it, so that it shows if they come to need more.
func (r *Rate) reshare() bool {
	if r.limit == 0 || len(r.members) == 0 {
		return false
	}
	left := float64(r.limit) - r.ahead
	left = max(left, float64(r.limit)/8)
	open, weight := make([]*member, 0, len(r.order)), 0
	for _, seat := range r.order {
		m := r.members[seat]
		open, weight = append(open, m), weight+max(1, m.jobs)
	}
	// Each round takes out those who are content with less than the others, as long as there are any.
	for again := true; again; {
		again = false
		fair := left / float64(max(1, weight))
		rest := open[:0]
		for _, m := range open {
			n := max(1, m.jobs)
			if m.content() && m.used < fair*float64(n) {
				left, weight, again = left-m.used, weight-n, true
				m.share = int64(min(max(room*m.used, leastKnown), fair*float64(n)))
				continue
			}
			rest = append(rest, m)
		}
		open = rest
	}
	for _, m := range open {
		share := max(1, int64(left/float64(weight)*float64(max(1, m.jobs))))
		m.used += float64(share - m.share) // it is expected to use what it gets
		m.used = min(max(m.used, 0), float64(share))
		m.share = share
	}
	return true
}

// content reports whether a worker does not use its share.
func (m *member) content() bool {
	return m.share >= leastKnown && m.used < hungry*float64(m.share)
}
