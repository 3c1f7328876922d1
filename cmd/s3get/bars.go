package main

import (
	"bytes"
	"fmt"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/s3processpool/processpool/internal/tool/show"
)

// maxBars is the maximum number of files with a bar at a time. The others are in the total only.
const maxBars = 12

// every is the time between two updates.
const every = 100 * time.Millisecond

// bars is the view for a terminal. It has a bar for each active download and one for the total. A
// separate goroutine updates them.
type bars struct {
	lines
	keep     bool // keep the bars of complete files
	progress *mpb.Progress
	all      *mpb.Bar
	line     *mpb.Bar // below the total: rate, time left, workers, retries
	read     func() status
	pace     pace
	told     atomic.Value // the text of line; without b.mu, whose holder may wait for a redraw
	stop     chan struct{}
	stopped  chan struct{}

	mu struct {
		sync.Mutex
		files []*file // whose downloads have not ended, oldest first
		shown int
		begun int // bars, ever
	}
}

type file struct {
	job *job
	n   int      // 1, 2, ... in the order in which they began
	bar *mpb.Bar // nil: no bar yet
}

func newBars(l lines, keep bool, options ...mpb.ContainerOption) *bars {
	options = append([]mpb.ContainerOption{mpb.WithOutput(l.stdout), mpb.WithWidth(80), mpb.WithRefreshRate(every)}, options...)
	return &bars{lines: l, keep: keep, progress: mpb.New(options...), stop: make(chan struct{}), stopped: make(chan struct{})}
}

func (b *bars) whole(read func() status) {
	b.read = read
	b.all = b.add("total", 1<<30) // below all others
	b.line = b.progress.New(0, mpb.NopStyle(), mpb.BarPriority(1<<30+1), mpb.PrependDecorators(
		decor.Any(func(decor.Statistics) string {
			told, _ := b.told.Load().(string)
			return "\r" + told
		})))
	go b.look()
}

// add adds a bar with the end of name. The bar begins with a carriage return: if the terminal has
// echoed Ctrl-C as ^C, the cursor is not at the start of a line.
func (b *bars) add(name string, priority int) *mpb.Bar {
	name = show.Printable(name)
	return b.progress.AddBar(0,
		mpb.BarPriority(priority),
		mpb.PrependDecorators(decor.Any(func(s decor.Statistics) string {
			width := nameWidth(s.AvailableWidth)
			return "\r" + runewidth.FillRight(ending(name, width), width)
		})),
		mpb.AppendDecorators(
			decor.Percentage(decor.WC{W: 5}),
			decor.Any(sizes),
		),
	)
}

// The columns of a line are the name, the bar if there is room for one, the percentage and the sizes.
const (
	widestName = 28
	roomSizes  = 30 // columns of the percentage, both sizes and a space
	roomSize   = 17 // the same with one size
	narrow     = 45 // columns of a terminal, below which there is one size
)

// nameWidth returns the number of columns of the name in a terminal of some columns.
func nameWidth(columns int) int {
	room := roomSizes
	if columns < narrow {
		room = roomSize
	}
	return max(8, min(widestName, columns-room))
}

// sizes returns what is there of a file and, if there is room, how much it will be.
func sizes(s decor.Statistics) string {
	if s.AvailableWidth < 24 {
		return fmt.Sprintf("%11s", show.Human(s.Current))
	}
	return fmt.Sprintf("%24s", show.Human(s.Current)+" of "+show.Human(s.Total))
}

// ending returns the end of name that fits into a number of columns.
func ending(name string, columns int) string {
	if n := runewidth.StringWidth(name); n > columns {
		return runewidth.TruncateLeft(name, n-columns+runewidth.RuneWidth('…'), "…")
	}
	return name
}

// look updates the bars until stop is closed.
func (b *bars) look() {
	defer close(b.stopped)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			b.follow()
		case <-b.stop:
			return
		}
	}
}

func (b *bars) follow() {
	s := b.read()
	b.all.SetTotal(s.total, false)
	b.all.SetCurrent(min(s.done, s.total))
	b.told.Store(s.details(b.pace.look(time.Now(), s.done)))
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.mu.files {
		p := f.job.progress()
		if f.bar == nil && p.BytesTotal >= 0 && b.mu.shown < maxBars {
			b.show(f)
		}
		if f.bar != nil {
			f.bar.SetTotal(p.BytesTotal, false)
			f.bar.SetCurrent(p.BytesDone)
		}
	}
}

// show adds the bar of a file. The caller holds b.mu.
func (b *bars) show(f *file) {
	f.bar = b.add(path.Base(f.job.key), f.n)
	b.mu.shown++
}

func (b *bars) begin(j *job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.begun++
	b.mu.files = append(b.mu.files, &file{job: j, n: b.mu.begun})
}

func (b *bars) end(j *job) {
	b.leave(j)
	if f := j.future; f.Result() != nil && !isCanceled(f) {
		b.trouble(problemOf(f))
	}
}

// leave ends the bar of a file. If complete files keep their bars, a file without one gets it now.
func (b *bars) leave(j *job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, one := range b.mu.files {
		if one.job != j {
			continue
		}
		b.mu.files = append(b.mu.files[:i], b.mu.files[i+1:]...)
		stays := b.keep && j.future.Result() == nil
		if one.bar == nil && stays && b.mu.shown < maxBars {
			b.show(one)
		}
		switch {
		case one.bar == nil:
		case stays:
			one.bar.SetTotal(j.future.Object().Size, false)
			one.bar.SetCurrent(j.future.Object().Size)
			one.bar.SetTotal(-1, true)
		default:
			one.bar.Abort(true)
			b.mu.shown--
		}
		return
	}
}

func (b *bars) skip(j *job, _ string) { b.leave(j) }

func (b *bars) plan(action string, j *job) { b.above(func(l *lines) { l.plan(action, j) }) }
func (b *bars) removed(file string)        { b.above(func(l *lines) { l.removed(file) }) }

// above prints lines above the bars.
func (b *bars) above(do func(*lines)) {
	var text bytes.Buffer
	do(&lines{stdout: &text, stderr: &text})
	fmt.Fprintf(b.progress, "\r%s", &text)
}

// trouble prints the problem above the bars if standard error is a terminal.
func (b *bars) trouble(p problem) {
	if isTerminal(b.stderr) {
		fmt.Fprintf(b.progress, "\r%v", p)
		return
	}
	b.lines.trouble(p)
}

func (b *bars) close(t *tally, took time.Duration) {
	if b.all != nil { // nil: whole was not called
		close(b.stop)
		<-b.stopped
		b.follow()
		b.line.Abort(true)
		if t.ok() {
			b.all.SetTotal(-1, true)
		} else {
			b.all.Abort(false)
		}
	}
	b.progress.Wait()
	fmt.Fprintf(b.stdout, "\r%s\n", t.sentence(took)) // as in add
}
