// Package client defines the programs to compare: those in cmd/, and others if they are installed.
package client

import (
	"debug/buildinfo"
	"fmt"
	"path/filepath"

	"github.com/s3processpool/processpool/bench/internal/measure"
	"github.com/s3processpool/processpool/bench/internal/task"
)

// Kind is the role of a client in the comparison.
type Kind string

const (
	Floor   Kind = "floor"   // the lower bound of each figure
	Subject Kind = "subject" // this library
	Library Kind = "library" // a Go library that fetches ranges in parallel; ratios are to the best one
	Other   Kind = "other"   // shown for information
)

// Client is a program that performs the downloads of a Task.
type Client struct {
	Name    string
	Version string
	Kind    Kind
	One     bool // can fetch one object only
	Plain   bool // speaks plain HTTP only

	args func(task.Task) ([]string, error)
	env  []string
}

// Can reports whether the client can perform a Task.
func (c Client) Can(t task.Task) bool {
	return (t.Count == 0 || !c.One) && (t.CA == "" || !c.Plain)
}

// With returns the client with another name and with additional arguments.
func (c Client) With(name string, arguments ...string) Client {
	args := c.args
	c.Name = name
	c.args = func(t task.Task) ([]string, error) {
		list, err := args(t)
		return append(list, arguments...), err
	}
	return c
}

// Command returns the command that runs the client with a Task.
func (k *Kit) Command(c Client, t task.Task) (measure.Command, error) {
	args, err := c.args(t)
	if err != nil {
		return measure.Command{}, err
	}
	env, err := k.environ(t)
	return measure.Command{Args: args, Env: append(env, c.env...), Dir: k.Work}, err
}

// own returns a program of cmd/.
func (k *Kit) own(program string) Client {
	return Client{
		Name: program,
		args: func(t task.Task) ([]string, error) { return append([]string{k.Own(program)}, t.Args()...), nil },
	}
}

// library returns a program of cmd/ that uses a Go module, with the version of the module.
func (k *Kit) library(program, module string) (Client, error) {
	c := k.own(program)
	c.Kind = Library
	info, err := buildinfo.ReadFile(k.Own(program))
	if err != nil {
		return c, err
	}
	for _, m := range info.Deps {
		if m.Path == module {
			c.Version = m.Version
			return c, nil
		}
	}
	return c, fmt.Errorf("%s was built without %s", program, module)
}

// Own returns the path of a program of cmd/.
func (k *Kit) Own(program string) string { return filepath.Join(k.Bin, program) }

// Floor returns the client of cmd/floor. No client with ordinary sockets can be much cheaper.
func (k *Kit) Floor() Client {
	c := k.own("floor")
	c.Kind, c.Plain = Floor, true
	c.env = []string{"GODEBUG=asyncpreemptoff=1"}
	return c
}

// SecureFloor returns the clients of cmd/floor over TLS: what crypto/tls costs by itself, as it is and
// with more bytes at a time.
func (k *Kit) SecureFloor() []Client {
	c := k.Floor()
	c.Name, c.Plain = "floor, crypto/tls", false
	ahead := c.With("floor, crypto/tls, 256 KiB reads", "-ahead")
	ahead.Kind = Other
	return []Client{c, ahead}
}

// Sockets returns the client of cmd/sockets, which reads from many connections with goroutines.
func (k *Kit) Sockets() Client {
	c := k.own("sockets")
	c.Kind, c.Plain = Other, true
	return c
}

// Neighbour returns the client of cmd/neighbour, a service that downloads.
func (k *Kit) Neighbour() Client {
	c := k.own("neighbour")
	c.Kind, c.Plain = Other, true
	return c
}

// Subject returns the client that uses this library.
func (k *Kit) Subject() Client {
	c := k.own("processpool")
	c.Kind = Subject
	return c
}

// Libraries returns manager, transfermanager and minio-go, in this order. minio-go has the Kind
// Other, because it fetches an object in one stream.
func (k *Kit) Libraries() ([]Client, error) {
	var all []Client
	for _, l := range []struct{ program, module string }{
		{"manager", "github.com/aws/aws-sdk-go-v2/feature/s3/manager"},
		{"transfermanager", "github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"},
		{"minio", "github.com/minio/minio-go/v7"},
	} {
		c, err := k.library(l.program, l.module)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	all[2].Name, all[2].Kind = "minio-go, one stream", Other
	return all, nil
}

// SDKGet returns the client that makes one GetObject with the SDK alone.
func (k *Kit) SDKGet() (Client, error) {
	c, err := k.library("sdkget", "github.com/aws/aws-sdk-go-v2/service/s3")
	c.Name, c.Kind = "aws-sdk-go-v2 GetObject", Other
	return c, err
}
