package main

import (
	"context"
	"fmt"
	"time"

	"github.com/s3processpool/processpool/bench/internal/client"
	"github.com/s3processpool/processpool/bench/internal/origin"
	"github.com/s3processpool/processpool/bench/internal/report"
	"github.com/s3processpool/processpool/bench/internal/task"
)

// plain compares clients over plain HTTP.
func plain(pick func(*bench) ([]client.Client, error)) func(*bench, context.Context, measurement) error {
	return func(b *bench, ctx context.Context, m measurement) error {
		return b.one(ctx, m, origin.Options{}, pick)
	}
}

// tls compares clients over TLS, after a floor that has no HTTP library.
func tls(pick func(*bench) ([]client.Client, error)) func(*bench, context.Context, measurement) error {
	return func(b *bench, ctx context.Context, m measurement) error {
		return b.one(ctx, m, origin.Options{TLS: true}, func(b *bench) ([]client.Client, error) {
			clients, err := pick(b)
			return append(b.kit.SecureFloor(), clients...), err
		})
	}
}

// connectionRate is the limit of each connection in the case capped, in bytes per second.
const connectionRate = 90_000_000

func (b *bench) capped(ctx context.Context, m measurement) error {
	size := b.sized(m.size)
	end, err := b.random(ctx, size, origin.Options{Rate: connectionRate})
	if err != nil {
		return err
	}
	defer end()
	t := b.task("object", size, 0)
	rate, err := b.oneConnection(ctx, t)
	if err != nil {
		return err
	}
	ideal := float64(size) / (rate * float64(b.workers))
	b.note("one connection alone reached %.1f MB/s; %s of this rate would transfer the object in %.2f s, and in %.2f s at %d MB/s",
		rate/1e6, plural(b.workers, "connection"), ideal, float64(size)/connectionRate/float64(b.workers), int(connectionRate/1e6))
	return b.compare(ctx, m, t, goClients, ideal)
}

// oneConnection measures the real rate of a limited connection, in bytes per second.
func (b *bench) oneConnection(ctx context.Context, t task.Task) (float64, error) {
	t.Workers, t.Size = 1, min(t.Size, 256<<20)
	u, err := b.once(ctx, entry{label: "one connection", client: b.kit.Floor(), task: t}, false, sizesAgree)
	return float64(t.Size) / u.Wall.Seconds(), err
}

// firstByte is the delay of the responses in the case small.
const firstByte = 10 * time.Millisecond

func (b *bench) small(ctx context.Context, m measurement) error {
	size, count := b.sized(m.size), b.counted(m.count)
	if err := b.numbered("object", size, count); err != nil {
		return err
	}
	end, err := b.serve(ctx, origin.Options{Delay: firstByte})
	if err != nil {
		return err
	}
	defer end()
	ideal := firstByte.Seconds() * float64(count) / float64(b.workers)
	b.note("with %s always in flight, and one for each object, the downloads would take %.2f s; of ideal is that time divided by the wall time",
		plural(b.workers, "request"), ideal)
	return b.compare(ctx, m, b.task("object", size, count), smallClients, ideal)
}

// numbered creates count objects of random content.
func (b *bench) numbered(key string, size int64, count int) error {
	if err := b.room(2 * size * int64(count)); err != nil {
		return err
	}
	return b.stock(func(s *origin.Site) error {
		for i := range count {
			if _, err := s.Random(task.Numbered(key, i), size); err != nil {
				return err
			}
		}
		return nil
	})
}

// one compares clients that download one object.
func (b *bench) one(ctx context.Context, m measurement, o origin.Options, pick func(*bench) ([]client.Client, error)) error {
	size := b.sized(m.size)
	end, err := b.random(ctx, size, o)
	if err != nil {
		return err
	}
	defer end()
	return b.compare(ctx, m, b.task("object", size, 0), pick, 0)
}

// random starts an origin with one object of random content. Its key is "object".
func (b *bench) random(ctx context.Context, size int64, o origin.Options) (end func(), err error) {
	if err := b.room(2 * size); err != nil {
		return nil, err
	}
	if err := b.stock(func(s *origin.Site) error {
		_, err := s.Random("object", size)
		return err
	}); err != nil {
		return nil, err
	}
	return b.serve(ctx, o)
}

// compare runs the same task with each client in turn. ideal is the lower bound of the wall time in
// seconds, 0 if there is none.
func (b *bench) compare(ctx context.Context, m measurement, t task.Task, pick func(*bench) ([]client.Client, error), ideal float64) error {
	clients, err := pick(b)
	if err != nil {
		return err
	}
	all, err := b.alternate(ctx, b.entries(clients, t))
	if err != nil {
		return err
	}
	b.note("%s of %s, %s, ranges of %s; %s after a warm-up round", plural(max(t.Count, 1), "object"), task.Bytes(t.Size),
		plural(t.Workers, "worker or connection"), task.Bytes(t.Chunk), plural(b.runs, "round"))
	list := summarize(all)
	r := report.Report{Data: list, Chart: chart(list)}
	r.Columns, r.Table = filled(throughput(list))
	if ideal > 0 {
		r.Columns = append(r.Columns, "of ideal")
		for i, f := range list {
			r.Table[i] = append(r.Table[i], fmt.Sprintf("%.2f", ideal/f.Wall.Median))
		}
		r.Chart = wallChart(list)
	}
	if b.origin.Counts() {
		r.Columns = append(r.Columns, "requests")
		for i, f := range list {
			r.Table[i] = append(r.Table[i], fmt.Sprint(f.Asked))
		}
	}
	return b.write(m, r)
}

// entries returns the rows of the clients that can do the task and are wanted.
func (b *bench) entries(clients []client.Client, t task.Task) (all []entry) {
	for _, c := range clients {
		if c.Can(t) && (c.Kind == client.Subject || b.only.MatchString(c.Name)) {
			all = append(all, entry{label: c.Name, client: c, task: t})
		}
	}
	return all
}

// chart shows the processor time by client.
func chart(list []figures) report.Chart {
	c := report.Chart{Title: "Processor time of all processes of the client", Unit: "seconds per GiB"}
	for _, f := range list {
		c.Bars = append(c.Bars, report.Bar{
			Label: f.Client, Value: f.CPUPerGiB, Accent: f.Kind == client.Subject,
			Remark: fmt.Sprintf("cpu s/GiB, %s GiB/s", report.Number(gib(f.Bytes)/f.Wall.Median)),
		})
	}
	return c
}

// wallChart shows the wall time by client.
func wallChart(list []figures) report.Chart {
	c := report.Chart{Title: "Time of the download, including the start and the end of the client", Unit: "seconds"}
	for _, f := range list {
		c.Bars = append(c.Bars, report.Bar{
			Label: f.Client, Value: f.Wall, Accent: f.Kind == client.Subject,
			Remark: fmt.Sprintf("s, cpu %s s", report.Number(f.CPU.Median)),
		})
	}
	return c
}
