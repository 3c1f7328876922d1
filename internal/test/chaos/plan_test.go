//go:build linux

package chaos

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"

	"github.com/s3processpool/processpool"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

// plan describes one run: a Downloader, its concurrent downloads, and the faults. It depends on the
// seed only.
type plan struct {
	seed uint64

	tls, durable        bool
	direct              bool // DirectIO
	tokens              bool // credentials expire
	processes, requests int
	threshold, chunk    int64
	attempts            int
	stall               time.Duration
	slow                time.Duration // minimum time of a range before it counts as slow
	verify              processpool.VerifyMode
	told                bool // OnAttempt is set

	transfers []*transfer
	tree      *tree // nil: no DownloadDirectory
	blows     []blow
	shutdown  int     // number of the request at which Shutdown is called; 0: after the last
	outage    *outage // nil: the origin is always there
}

// blow is a signal to one of the workers.
type blow struct {
	at     int // number of the request that triggers it
	signal syscall.Signal
	worker int           // index, modulo the number of workers at that time
	after  time.Duration // delay; 0: before the response
	rest   time.Duration // from SIGSTOP to SIGCONT; 0: until the downloads have ended
}

// transfer is one download of a plan, and its state.
type transfer struct {
	n         int
	key       string
	object    object
	expected  int64 // ExpectedSize; -1: none
	skipHead  bool
	resume    bool
	spoil     spoil // damage to its partial file before it is resumed
	pinned    bool  // by VersionId
	demand    *demand
	present   string
	mode      fs.FileMode // of the file that is there; 0: 0644
	after     int         // number of the request at which it is submitted; 0: at once
	listens   bool
	byContext bool // it is canceled through its context, not with Cancel
	over      bool // its context is canceled beforehand
	orders    []*order
	disk      *disk
	odd       *oddity // nil: the file system has all calls

	chosen
	live
}

// disk is a fault of a system call on the temporary file, or a cancel during the call.
type disk struct {
	op    string
	nth   int
	errno syscall.Errno // 0: a cancel
}

// dice is a source of random numbers. A plan draws them in a fixed order, so that a seed always
// gives the same plan.
type dice struct{ *rand.Rand }

func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

// between returns a number whose order of magnitude is uniformly distributed.
func (d dice) between(low, high int64) int64 {
	steps := 0
	for n := low; n < high; n *= 2 {
		steps++
	}
	n := low << d.IntN(steps+1)
	return min(n+d.Int64N(n), high)
}

func pick[T any](d dice, from []T) T { return from[d.IntN(len(from))] }

func newPlan(seed uint64) *plan {
	d := dice{rand.New(rand.NewPCG(seed, 0))}
	p := &plan{
		seed:      seed,
		tls:       d.chance(10),
		durable:   d.chance(20),
		tokens:    d.chance(8),
		processes: 1 + d.IntN(4),
		requests:  1 + d.IntN(2),
		chunk:     d.between(1, 4*mib),
		attempts:  4 + d.IntN(3),
		stall:     time.Minute,
		verify:    pick(d, []processpool.VerifyMode{processpool.VerifyAuto, processpool.VerifyAuto, processpool.VerifyAuto, processpool.VerifyRequired, processpool.VerifyOff}),
	}
	p.threshold = pick(d, []int64{1, p.chunk, p.chunk * 4})
	if d.chance(15) {
		p.stall = 500 * time.Millisecond
	}
	for n := range 1 + d.IntN(6) {
		p.transfers = append(p.transfers, p.newTransfer(d, n))
	}
	if d.chance(45) {
		for range pick(d, []int{1, 1, 1, 2, 2, 3, 6}) {
			p.blows = append(p.blows, p.newBlow(d))
		}
	}
	if d.chance(10) {
		p.shutdown = 1 + d.IntN(12)
	}
	p.vary(dice{rand.New(rand.NewPCG(seed, 1))})
	p.trouble(dice{rand.New(rand.NewPCG(seed, 2))})
	p.choose(dice{rand.New(rand.NewPCG(seed, 3))})
	p.told = dice{rand.New(rand.NewPCG(seed, 4))}.chance(50)
	p.demand(dice{rand.New(rand.NewPCG(seed, 5))})
	return p
}

func (p *plan) newBlow(d dice) blow {
	b := blow{at: 1 + d.IntN(5*len(p.transfers)), worker: d.IntN(8)}
	b.signal = pick(d, []syscall.Signal{syscall.SIGKILL, syscall.SIGKILL, syscall.SIGKILL, syscall.SIGSEGV, syscall.SIGTERM, syscall.SIGSTOP, syscall.SIGSTOP, syscall.SIGINT})
	if d.chance(60) {
		b.after = time.Duration(d.IntN(30)) * time.Millisecond
	}
	if d.chance(70) {
		b.rest = time.Duration(1+d.IntN(200)) * time.Millisecond
	}
	return b
}

// newTransfer draws sizes around the boundaries of ranges.
func (p *plan) newTransfer(d dice, n int) *transfer {
	t := &transfer{n: n, key: fmt.Sprintf("key %d+é", n), expected: -1, present: pick(d, []string{"no file", "a file", "a link"})}
	keep := pick(d, kept)
	t.object = object{algorithm: keep.algorithm, noETag: keep.algorithm != "md5" && d.chance(10)}
	switch ranges := int64(d.IntN(9)); {
	case d.chance(3):
		t.object.size = d.between(8*mib, 64*mib)
		p.chunk = max(p.chunk, t.object.size/64)
	case d.chance(6):
		t.object.size = 0
	default:
		t.object.size = max(ranges*p.chunk+pick(d, []int64{-1, 0, 1, p.chunk / 3}), 0)
	}
	if keep.parts && t.object.size > 0 {
		t.object.parts = drawParts(d, t.object.size)
	}
	t.listens, t.byContext, t.over = d.chance(50), d.chance(50), d.chance(1)
	t.pinned = d.chance(10)
	if d.chance(25) {
		t.after = 1 + d.IntN(8)
	}
	if d.chance(20) {
		t.expected = t.object.size
		if d.chance(25) {
			t.expected = max(t.expected+pick(d, []int64{-1, 1, p.chunk}), 0)
		}
	}
	p.drawFaults(d, t)
	return t
}

// drawParts divides an object into parts, which mostly have the same size except for the last.
func drawParts(d dice, size int64) (parts []int64) {
	part := max(size/int64(1+d.IntN(6)), 1)
	for left := size; left > 0; left -= parts[len(parts)-1] {
		n := part
		if d.chance(15) {
			n = 1 + d.Int64N(part)
		}
		if len(parts) == 50 {
			n = left
		}
		parts = append(parts, min(n, left))
	}
	return parts
}

func (p *plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d processes of %d requests, threshold %d, chunk %d, %d attempts, stall %v, slow %v, verify %v, tls %t, durable %t, direct %t, tokens %t, shutdown %d, told %t\n",
		p.seed, p.processes, p.requests, p.threshold, p.chunk, p.attempts, p.stall, p.slow, p.verify, p.tls, p.durable, p.direct, p.tokens, p.shutdown, p.told)
	for _, t := range p.transfers {
		fmt.Fprintf(&b, "  %q: %+v, expected %d, skip head %t, resume %t (%v), pinned %t, %s there (%#o), after %d, over %t\n",
			t.key, t.object, t.expected, t.skipHead, t.resume, t.spoil, t.pinned, t.present, t.mode, t.after, t.over)
		if t.part != nil {
			fmt.Fprintf(&b, "    range %d+%d\n", t.part.Offset, t.part.Length)
		}
		fmt.Fprintf(&b, "    open %t, fresh %t, modified %t, match %t, unlike %t, mode %#o, durable %t\n",
			t.open, t.fresh, t.modified, t.match, t.unlike, t.asked, t.durable)
		for _, o := range t.orders {
			fmt.Fprintf(&b, "    %v\n", o)
		}
		if t.demand != nil {
			fmt.Fprintf(&b, "    %+v\n", *t.demand)
		}
		if t.disk != nil {
			fmt.Fprintf(&b, "    %+v\n", *t.disk)
		}
		if t.odd != nil {
			fmt.Fprintf(&b, "    %v\n", t.odd)
		}
	}
	if p.tree != nil {
		fmt.Fprintf(&b, "  %v\n", p.tree)
	}
	if p.outage != nil {
		fmt.Fprintf(&b, "  %v\n", p.outage)
	}
	for _, w := range p.blows {
		fmt.Fprintf(&b, "  %+v\n", w)
	}
	return b.String()
}
