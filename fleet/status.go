package fleet

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Status is how far a run is. Objects are counted by what the server keeps: see the package's comment.
type Status struct {
	Run      string `json:"run"`
	Source   string `json:"source,omitempty"`
	Complete bool   `json:"planComplete"`
	Ended    bool   `json:"ended"` // the plan is complete, and done + dead = planned

	Planned int64 `json:"planned"` // objects
	Done    int64 `json:"done"`
	Dead    int64 `json:"dead"`
	Open    int64 `json:"open"` // in messages that are not acknowledged

	PlannedBytes int64 `json:"plannedBytes"`
	DoneBytes    int64 `json:"doneBytes"` // as workers report them

	Waiting  int64 `json:"messagesWaiting"`
	InFlight int64 `json:"messagesInFlight"`

	BytesPerSecond int64    `json:"bytesPerSecond"`
	SecondsLeft    int64    `json:"secondsLeft"` // -1: not known
	Nodes          []Report `json:"nodes,omitempty"`
}

// Report is what a worker tells of itself, or the sum of those of a node.
type Report struct {
	Node           string    `json:"node"`
	Workers        int       `json:"workers"` // that have told of themselves lately
	At             time.Time `json:"at"`
	Done           int64     `json:"done"`    // objects, those that were there already included
	Skipped        int64     `json:"skipped"` // objects that were there already
	Dead           int64     `json:"dead"`
	DoneBytes      int64     `json:"doneBytes"`
	Fetched        int64     `json:"fetchedBytes"` // from S3
	BytesPerSecond int64     `json:"bytesPerSecond"`
	Objects        int       `json:"objectsInFlight"`
	Ended          bool      `json:"ended,omitempty"`
}

const workerKey = "worker."

// tally is what a worker has acknowledged.
type tally struct{ done, skipped, dead, bytes int64 }

// count adds a message that was acknowledged.
func (w *worker) count(h *held, dead int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.tally.dead += int64(dead)
	w.mu.tally.done += int64(len(h.tasks) - dead)
	for _, t := range h.tasks {
		if t.err != nil {
			continue
		}
		if t.skipped {
			w.mu.tally.skipped++
		}
		w.mu.tally.bytes += max(0, t.object.Size, t.bytes.Load())
	}
}

// pace is how fast bytes come lately.
type pace struct {
	at      time.Time
	fetched int64
	rate    float64 // bytes a second; the last report counts as much as all before it
}

func (p *pace) add(now time.Time, fetched int64) {
	seconds := now.Sub(p.at).Seconds()
	if seconds <= 0 {
		return
	}
	p.rate = (p.rate + float64(fetched-p.fetched)/seconds) / 2
	p.at, p.fetched = now, fetched
}

func (w *worker) report() Report {
	fetched := w.downloader.Stats().BytesWritten
	w.mu.Lock()
	defer w.mu.Unlock()
	t := &w.mu.tally
	now := time.Now()
	w.mu.pace.add(now, fetched)
	return Report{
		Node: w.o.Node, Workers: 1, At: now.UTC(), Done: t.done, Skipped: t.skipped, Dead: t.dead, DoneBytes: t.bytes,
		Fetched: fetched, BytesPerSecond: int64(w.mu.pace.rate), Objects: w.mu.objects,
	}
}

// tell keeps the report of a worker on the server. One that is lost is made up for by the next.
func (r *Run) tell(ctx context.Context, id string, report Report) {
	text, err := json.Marshal(report)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, _ = r.kv.Put(ctx, workerKey+id, text)
}

// lately is how old the report of a worker may be that counts as running.
const lately = 10 * time.Second

// Status returns how far the run is.
func (r *Run) Status(ctx context.Context) (Status, error) {
	// The record comes first: what the plan adds meanwhile makes the queue longer, and never shorter.
	rec, _, err := r.load(ctx)
	if err != nil {
		return Status{}, missing(err, r.name)
	}
	s := Status{
		Run: r.name, Source: rec.Source, Complete: rec.Complete, Planned: rec.Objects, PlannedBytes: rec.Bytes, SecondsLeft: -1,
	}
	work, err := r.work.Info(ctx, jetstream.WithSubjectFilter(subject(r.name, "work.*")))
	if err != nil {
		return s, missing(err, r.name)
	}
	if work.State.LastSeq < rec.Last {
		return s, (&ledger{run: r, rec: rec}).lost(work.State.LastSeq)
	}
	for subject, messages := range work.State.Subjects {
		n, _ := strconv.ParseInt(subject[strings.LastIndexByte(subject, '.')+1:], 10, 64)
		s.Open += n * int64(messages)
	}
	dead, err := r.dead.Info(ctx)
	if err != nil {
		return s, missing(err, r.name)
	}
	queue, err := r.consumer.Info(ctx)
	if err != nil {
		return s, missing(err, r.name)
	}
	s.Dead, s.InFlight = int64(dead.State.Msgs), int64(queue.NumAckPending)
	s.Waiting = max(0, int64(work.State.Msgs)-s.InFlight)
	s.Done = max(0, s.Planned-s.Open-s.Dead-rec.unpublished(work.State.LastSeq))
	s.Ended = s.Complete && s.Open == 0
	if err := r.nodes(ctx, &s); err != nil {
		return s, err
	}
	return s, nil
}

// unpublished returns how many objects of the plan are yet to be added to the queue.
func (r *record) unpublished(last uint64) (n int64) {
	if r.Complete || r.Entry == nil {
		return 0
	}
	for i, m := range r.Entry.Messages {
		if r.Last+uint64(i) >= last {
			n += int64(m.N)
		}
	}
	return n
}

// reports calls each with the last report of each worker, and when the server got it.
func (r *Run) reports(ctx context.Context, each func(created time.Time, one Report)) error {
	watch, err := r.kv.Watch(ctx, workerKey+"*")
	if err != nil {
		return err
	}
	defer watch.Stop()
	for kve := range watch.Updates() {
		if kve == nil { // that was all
			break
		}
		var one Report
		if kve.Operation() == jetstream.KeyValuePut && json.Unmarshal(kve.Value(), &one) == nil {
			each(kve.Created(), one)
		}
	}
	return nil
}

// nodes adds the reports of the workers.
func (r *Run) nodes(ctx context.Context, s *Status) error {
	nodes := map[string]*Report{}
	err := r.reports(ctx, func(created time.Time, one Report) {
		n := nodes[one.Node]
		if n == nil {
			n = &Report{Node: one.Node}
			nodes[one.Node] = n
		}
		n.add(one, time.Since(created) < lately && !one.Ended)
		s.DoneBytes += one.DoneBytes
	})
	if err != nil {
		return serverError(err)
	}
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		s.Nodes = append(s.Nodes, *nodes[name])
		s.BytesPerSecond += nodes[name].BytesPerSecond
	}
	s.DoneBytes = min(s.DoneBytes, s.PlannedBytes)
	s.SecondsLeft = s.left()
	return nil
}

// foreseeable is the longest time left that is told, in seconds: while all workers wait, for a message of
// one that was killed, the rate tends to nothing.
const foreseeable = 100 * 24 * 60 * 60

func (s *Status) left() int64 {
	if s.Ended {
		return 0
	}
	if s.Complete && s.BytesPerSecond > 0 {
		if left := (s.PlannedBytes - s.DoneBytes) / s.BytesPerSecond; left <= foreseeable {
			return left
		}
	}
	return -1
}

func (n *Report) add(one Report, running bool) {
	n.Done += one.Done
	n.Skipped += one.Skipped
	n.Dead += one.Dead
	n.DoneBytes += one.DoneBytes
	n.Fetched += one.Fetched
	if one.At.After(n.At) {
		n.At = one.At
	}
	if running {
		n.Workers++
		n.Objects += one.Objects
		n.BytesPerSecond += one.BytesPerSecond
	}
}
