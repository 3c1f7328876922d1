package main

import (
	"slices"
	"strings"

	"github.com/s3processpool/processpool/bench/internal/client"
)

// subjects returns this library with and without verification. The default verifies what it
// downloads; VerifyOff is for the comparison with clients that do not.
func (b *bench) subjects() []client.Client {
	s := b.kit.Subject()
	return []client.Client{
		s.With("processpool, not verified", "-verify", "off"),
		s.With("processpool, verified", "-verify", "required"),
	}
}

// everything returns all clients.
func everything(b *bench) ([]client.Client, error) {
	floor := b.kit.Floor()
	splice := floor.With("floor with splice", "-splice")
	splice.Kind = client.Other
	all := append([]client.Client{floor, splice}, b.subjects()...)
	libraries, err := b.kit.Libraries()
	if err != nil {
		return nil, err
	}
	tuned := libraries[0].With("manager, 1 MiB buffers", "-buffer", "1048576")
	tuned.Kind = client.Other
	libraries = slices.Insert(libraries, 1, tuned)
	tools, missing := b.kit.Tools(b.only.MatchString)
	if len(missing) > 0 {
		b.note("not installed: %s", strings.Join(missing, ", "))
	}
	return slices.Concat(all, libraries, tools), nil
}

// goClients returns the floor, this library, and the other clients that are written in Go.
func goClients(b *bench) ([]client.Client, error) {
	all, err := everything(b)
	return slices.DeleteFunc(all, func(c client.Client) bool {
		return c.Kind == client.Other && !strings.HasPrefix(c.Name, "rclone")
	}), err
}

// resumeClients returns the floor, and this library with its defaults, with Resume and with
// Durable.
func resumeClients(b *bench) ([]client.Client, error) {
	s := b.kit.Subject()
	return []client.Client{
		b.kit.Floor(),
		s.With("processpool, verified", "-verify", "required"),
		s.With("processpool, verified, Resume", "-verify", "required", "-resume"),
		s.With("processpool, verified, Durable", "-verify", "required", "-durable"),
	}, nil
}

// smallClients returns all clients but those that differ in large writes only, and this library
// without its HeadObject.
func smallClients(b *bench) ([]client.Client, error) {
	all, err := everything(b)
	i := slices.IndexFunc(all, func(c client.Client) bool { return c.Kind == client.Subject })
	s := b.kit.Subject()
	all = slices.Insert(all, i,
		s.With("processpool, SkipHead", "-skip-head", "-verify", "required"),
		s.With("processpool, size known", "-known", "-verify", "required"))
	return slices.DeleteFunc(all, func(c client.Client) bool {
		return c.Name == "floor with splice" || strings.HasPrefix(c.Name, "manager,")
	}), err
}
