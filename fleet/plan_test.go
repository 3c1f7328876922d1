package fleet

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/s3processpool/processpool/fleet/internal/embedded"
)

// connect returns a connection to a server of the test's own.
func connect(t *testing.T) *nats.Conn {
	t.Helper()
	server, err := embedded.Start(embedded.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	nc, err := Connect(Server{URL: server.URL()}, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func create(t *testing.T, nc *nats.Conn, name string) *Run {
	t.Helper()
	r, err := Create(t.Context(), nc, name, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// numbers is a Source of n objects. At each of its errors it has yielded some of them.
type numbers struct {
	n, size int
	stopAt  int // 0: never
	err     error
	name    string
}

func (s numbers) Name() string { return "numbers" + s.name }

func (s numbers) Objects(_ context.Context, cursor string) iter.Seq2[Planned, error] {
	from, _ := strconv.Atoi(cursor)
	return func(yield func(Planned, error) bool) {
		for i := from + 1; i <= s.n; i++ {
			if s.stopAt > 0 && i > s.stopAt {
				yield(Planned{}, s.err)
				return
			}
			size := int64(s.size)
			if i%7 == 0 {
				size = 2 << 20 // a message of its own
			}
			o := Object{Bucket: "b", Key: fmt.Sprint(i), Size: size, File: fmt.Sprint(i)}
			if !yield(Planned{Object: o, Cursor: fmt.Sprint(i)}, nil) {
				return
			}
		}
	}
}

// queued returns the keys of all objects in the work stream, in its order.
func queued(t *testing.T, r *Run) (keys []string) {
	t.Helper()
	for next := uint64(1); ; {
		m, err := r.work.GetMsg(t.Context(), next, jetstream.WithGetMsgSubject(subject(r.name, "work.*")))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return keys
		}
		if err != nil {
			t.Fatal(err)
		}
		objects, err := decode(m.Data)
		if err != nil || !strings.HasSuffix(m.Subject, fmt.Sprintf(".%d", len(objects))) {
			t.Fatalf("message %d, subject %s, %d objects: %v", m.Sequence, m.Subject, len(objects), err)
		}
		for _, o := range objects {
			keys = append(keys, o.Key)
		}
		next = m.Sequence + 1
	}
}

// wantPlan checks that the queue has each of n objects once, and that the record says so.
func wantPlan(t *testing.T, r *Run, n int) {
	t.Helper()
	keys := queued(t, r)
	distinct := map[string]bool{}
	for _, key := range keys {
		distinct[key] = true
	}
	s, err := r.Status(t.Context())
	if err != nil || len(keys) != n || len(distinct) != n || s.Planned != int64(n) || s.Open != int64(n) || s.Done != 0 || !s.Complete {
		t.Errorf("got %d objects in the queue, %d of them distinct, and %+v, %v, want %d", len(keys), len(distinct), s, err, n)
	}
}

// A plan that breaks off again and again has each object once, and so has one that is planned again.
func TestPlanGoesOn(t *testing.T) {
	r := create(t, connect(t), "r")
	const n = 30_000
	for stopAt := 1; stopAt < n; stopAt += n/5 + 1 {
		broken := errors.New("broken")
		if _, err := r.Plan(t.Context(), numbers{n: n, size: 10, stopAt: stopAt, err: broken}, nil); !errors.Is(err, broken) {
			t.Fatalf("stopAt=%d: got %v", stopAt, err)
		}
	}
	for range 2 {
		plan, err := r.Plan(t.Context(), numbers{n: n, size: 10}, nil)
		if err != nil || plan.Objects != n || !plan.Complete {
			t.Fatalf("got %+v, %v", plan, err)
		}
		wantPlan(t, r, n)
	}
	if _, err := r.Plan(t.Context(), numbers{n: 1, name: "other"}, nil); err == nil || !strings.Contains(err.Error(), "another source") {
		t.Errorf("another source: got %v", err)
	}
}

// A planner that dies anywhere between the record and the last message of an entry leaves what the
// next one completes.
func TestPlanDies(t *testing.T) {
	nc := connect(t)
	for published := 0; published <= 3; published++ {
		r := create(t, nc, fmt.Sprintf("r%d", published))
		l, err := r.ledger(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		e := &entry{}
		for i := 1; i <= 3; i++ {
			objects := []Object{{Bucket: "b", Key: fmt.Sprint(i), Size: 1, File: fmt.Sprint(i)}}
			data, _ := encode(objects)
			e.Messages = append(e.Messages, outgoing{N: 1, ID: idOf(objects, uint64(i)), Data: data})
		}
		next := record{V: Version, Source: "numbers", Cursor: "3", Objects: 3, Bytes: 3, Entry: e}
		if _, err := r.kv.Update(t.Context(), recordKey, next.encode(), l.revision); err != nil {
			t.Fatal(err)
		}
		if err := (&ledger{run: r, rec: next}).send(t.Context(), e.Messages[:published], 0); err != nil {
			t.Fatal(err)
		}
		if s, err := r.Status(t.Context()); err != nil || s.Done != 0 || s.Ended {
			t.Errorf("published=%d: got %+v, %v", published, s, err)
		}
		if _, err := r.Plan(t.Context(), numbers{n: 200}, nil); err != nil {
			t.Fatalf("published=%d: %v", published, err)
		}
		wantPlan(t, r, 200)
		// The dead planner comes back.
		if err := (&ledger{run: r, rec: next, revision: l.revision + 1}).append(t.Context(), e, func(*record) {}); !errors.Is(err, errConflict) {
			t.Errorf("published=%d: a planner that comes back: got %v", published, err)
		}
		if err := (&ledger{run: r, rec: next}).publish(t.Context(), true); err != nil {
			t.Errorf("published=%d: its messages: %v", published, err)
		}
		wantPlan(t, r, 200)
	}
}

// Planners that run at once do not add to each other's work.
func TestPlanners(t *testing.T) {
	r := create(t, connect(t), "r")
	var all sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			_, err := r.Plan(context.Background(), numbers{n: 20_000, size: 10}, nil)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		}()
	}
	all.Wait()
	if !slices.Contains(errs, nil) {
		t.Errorf("got %v, want one planner to end well", errs)
	}
	for _, err := range errs {
		if err != nil && !errors.Is(err, ErrPlanner) {
			t.Errorf("got %v", err)
		}
	}
	wantPlan(t, r, 20_000)
}

// A server that has lost messages of the plan is not taken for one whose messages are done.
func TestPlanLost(t *testing.T) {
	nc := connect(t)
	r := create(t, nc, "r")
	if _, err := r.Plan(t.Context(), numbers{n: 300}, nil); err != nil {
		t.Fatal(err)
	}
	info, err := r.work.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rec, revision, err := r.load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rec.Last, rec.Entry, rec.Complete = info.State.LastSeq+1, nil, false
	if _, err := r.kv.Update(t.Context(), recordKey, rec.encode(), revision); err != nil {
		t.Fatal(err)
	}
	if s, err := r.Status(t.Context()); err == nil || !strings.Contains(err.Error(), "lost") {
		t.Errorf("got %+v, %v", s, err)
	}
}
