package main

import (
	"context"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/bench/internal/client"
	"github.com/s3processpool/processpool/bench/internal/origin"
)

// disk compares clients that write to a disk, and wait until the bytes are on stable storage. The
// object is in memory.
func (b *bench) disk(ctx context.Context, m measurement) error {
	size := b.sized(m.size)
	on, err := os.MkdirTemp(b.options.disk, "processpool-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(on)
	b.on = filepath.Join(on, "downloads")
	if err := roomOn(on, size); err != nil {
		return err
	}
	if err := b.stock(func(s *origin.Site) error {
		if b.room(2*size) == nil {
			_, err := s.Random("object", size)
			return err
		}
		b.note("the object is of zeros, for which there is room in memory")
		_, err := s.Sparse("object", size)
		return err
	}); err != nil {
		return err
	}
	end, err := b.serve(ctx, origin.Options{})
	if err != nil {
		return err
	}
	defer end()
	b.note("downloads in %s; each client waits for fsync", fileSystem(on))
	return b.compare(ctx, m, b.task("object", size, 0), diskClients, 0)
}

// settle waits until the disk has nothing left to do of an earlier run.
func (b *bench) settle() {
	if b.on != "" {
		unix.Sync()
	}
}

// diskClients returns the clients that can wait for stable storage.
func diskClients(b *bench) ([]client.Client, error) {
	libraries, err := b.kit.Libraries()
	if err != nil {
		return nil, err
	}
	manager, transfermanager := libraries[0], libraries[1]
	floor, s := b.kit.Floor(), b.kit.Subject()
	cached := floor.With("floor, page cache", "-sync")
	cached.Kind = client.Other
	return []client.Client{
		floor.With("floor, O_DIRECT", "-sync", "-direct"),
		cached,
		s.With("processpool, DirectIO, not verified", "-durable", "-direct", "-verify", "off"),
		s.With("processpool, DirectIO", "-durable", "-direct"),
		s.With("processpool, not verified", "-durable", "-verify", "off"),
		manager.With("manager", "-sync"),
		manager.With("manager, 1 MiB buffers", "-sync", "-buffer", "1048576"),
		transfermanager.With("transfermanager", "-sync"),
	}, nil
}
