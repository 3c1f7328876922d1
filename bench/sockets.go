package main

import (
	"context"
	"strconv"

	"github.com/s3processpool/processpool/bench/internal/origin"
	"github.com/s3processpool/processpool/bench/internal/task"
)

// sockets measures the cost of many connections on one network poller of Go, and on several.
func (b *bench) sockets(ctx context.Context, m measurement) error {
	const piece = 256 << 10
	size := b.sized(m.size)
	count := b.counted(int(2 * size / piece))
	end, err := b.random(ctx, size, origin.Options{})
	if err != nil {
		return err
	}
	defer end()
	program := b.kit.Sockets()
	var entries []entry
	for _, connections := range []int{16, 256, 2048, 4096} {
		for _, processes := range []int{1, 2, 8} {
			t := b.task("object", size, 0)
			t.Workers, t.Count, t.Chunk = connections, count, piece
			entries = append(entries, entry{
				label:  plural(connections, "connection") + ", " + plural(processes, "process"),
				client: program.With("sockets", "-processes", strconv.Itoa(processes)), task: t, bytes: int64(count) * piece,
			})
		}
	}
	all, err := b.alternate(ctx, entries)
	if err != nil {
		return err
	}
	b.note("%s for %s each, spread over the connections; the bytes are discarded", plural(count, "request"), task.Bytes(piece))
	return b.write(m, curve(summarize(all)))
}
