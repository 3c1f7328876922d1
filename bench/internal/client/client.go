// Package client knows the programs that are compared: those of cmd/, and others where
// they are installed.
package client

import (
	"debug/buildinfo"
	"fmt"
	"path/filepath"

	"github.com/s3processpool/processpool/bench/internal/measure"
	"github.com/s3processpool/processpool/bench/internal/task"
)

// Kind is what a client is to the comparison.
type Kind string

const (
	Floor   Kind = "floor"   // what a figure is held against from below
	Subject Kind = "subject" // this library
	Library Kind = "library" // a Go library that fetches ranges in parallel: the best is the peer
	Other   Kind = "other"   // for information
)

// Client is a program that downloads what a Task says.
type Client struct {
	Name    string
	Version string
	Kind    Kind
	One     bool // can fetch one object only
	Plain   bool // speaks plain HTTP only

	args func(task.Task) ([]string, error)
	env  []string
}

// Can tells whether the client can do a Task.
func (c Client) Can(t task.Task) bool {
	return (t.Count == 0 || !c.One) && (t.CA == "" || !c.Plain)
}

// With returns the client under another name, with further arguments at its end.
func (c Client) With(name string, arguments ...string) Client {
	args := c.args
	c.Name = name
	c.args = func(t task.Task) ([]string, error) {
		list, err := args(t)
		return append(list, arguments...), err
	}
	return c
}

// Command is the client's command line for a Task.
func (k *Kit) Command(c Client, t task.Task) (measure.Command, error) {
	args, err := c.args(t)
	if err != nil {
		return measure.Command{}, err
	}
	env, err := k.environ(t)
	return measure.Command{Args: args, Env: append(env, c.env...), Dir: k.Work}, err
}

// own is a program of cmd/.
func (k *Kit) own(program string) Client {
	return Client{
		Name: program,
		args: func(t task.Task) ([]string, error) { return append([]string{k.Own(program)}, t.Args()...), nil },
	}
}

// library is a program of cmd/ around a Go module.
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
	return c, fmt.Errorf("%s is built without %s", program, module)
}

// Own is the file of a program of cmd/.
func (k *Kit) Own(program string) string { return filepath.Join(k.Bin, program) }

// Floor is what no client over plain sockets goes below by much.
func (k *Kit) Floor() Client {
	c := k.own("floor")
	c.Kind, c.Plain = Floor, true
	c.env = []string{"GODEBUG=asyncpreemptoff=1"}
	return c
}

// Sockets reads many connections with goroutines.
func (k *Kit) Sockets() Client {
	c := k.own("sockets")
	c.Kind, c.Plain = Other, true
	return c
}

// Subject is this library.
func (k *Kit) Subject() Client {
	c := k.own("processpool")
	c.Kind = Subject
	return c
}

// Libraries are manager, transfermanager and minio-go, of which the last fetches an
// object in one stream and so is no peer.
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

// SDKGet is one GetObject of the bare SDK.
func (k *Kit) SDKGet() (Client, error) {
	c, err := k.library("sdkget", "github.com/aws/aws-sdk-go-v2/service/s3")
	c.Name, c.Kind = "aws-sdk-go-v2 GetObject", Other
	return c, err
}
