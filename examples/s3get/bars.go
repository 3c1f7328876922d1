package main

import (
	"fmt"
	"path"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/s3processpool/processpool"
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
	read     func() (done, total int64)
	stop     chan struct{}
	stopped  chan struct{}

	mu struct {
		sync.Mutex
		files []*file // whose downloads have not ended, oldest first
		shown int
	}
}

type file struct {
	future *processpool.Future
	bar    *mpb.Bar // nil: no bar yet
}

func newBars(l lines, keep bool, options ...mpb.ContainerOption) *bars {
	options = append([]mpb.ContainerOption{mpb.WithOutput(l.stdout), mpb.WithWidth(80), mpb.WithRefreshRate(every)}, options...)
	return &bars{lines: l, keep: keep, progress: mpb.New(options...), stop: make(chan struct{}), stopped: make(chan struct{})}
}

func (b *bars) whole(read func() (done, total int64)) {
	b.read = read
	b.all = b.add("total", 1<<30) // below all others
	go b.look()
}

// add adds a bar with the end of name. The bar begins with a carriage return: if the terminal has
// echoed Ctrl-C as ^C, the cursor is not at the start of a line.
func (b *bars) add(name string, priority int) *mpb.Bar {
	const width = 28
	return b.progress.AddBar(0,
		mpb.BarPriority(priority),
		mpb.PrependDecorators(decor.Name("\r"+ending(printable(name), width), decor.WC{W: width, C: decor.DindentRight})),
		mpb.AppendDecorators(
			decor.Percentage(decor.WC{W: 5}),
			decor.Any(func(s decor.Statistics) string { return human(s.Current) + " of " + human(s.Total) }, decor.WC{W: 24}),
		),
	)
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
	done, total := b.read()
	b.all.SetTotal(total, false)
	b.all.SetCurrent(min(done, total))
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.mu.files {
		p := f.future.Progress()
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
	meta := f.future.Meta()
	f.bar = b.add(path.Base(meta.Key), int(meta.TransferID))
	b.mu.shown++
}

func (b *bars) begin(f *processpool.Future) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.files = append(b.mu.files, &file{future: f})
}

func (b *bars) end(f *processpool.Future) {
	b.leave(f)
	if f.Result() != nil && !isCanceled(f) {
		b.trouble(problemOf(f))
	}
}

// leave ends the bar of a file. If complete files keep their bars, a file without one gets it now.
func (b *bars) leave(f *processpool.Future) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, one := range b.mu.files {
		if one.future != f {
			continue
		}
		b.mu.files = append(b.mu.files[:i], b.mu.files[i+1:]...)
		stays := b.keep && f.Result() == nil
		if one.bar == nil && stays && b.mu.shown < maxBars {
			b.show(one)
		}
		switch {
		case one.bar == nil:
		case stays:
			one.bar.SetTotal(f.Object().Size, false)
			one.bar.SetCurrent(f.Object().Size)
			one.bar.SetTotal(-1, true)
		default:
			one.bar.Abort(true)
			b.mu.shown--
		}
		return
	}
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
		if t.ok() {
			b.all.SetTotal(-1, true)
		} else {
			b.all.Abort(false)
		}
	}
	b.progress.Wait()
	fmt.Fprintf(b.stdout, "\r%s\n", t.sentence(took)) // as in add
}
