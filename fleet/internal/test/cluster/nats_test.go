package cluster

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/s3processpool/processpool/fleet"
	"github.com/s3processpool/processpool/fleet/internal/test/site"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// nats is a cluster of three servers in this process.
type nats struct {
	*testing.T
	dir     string
	clients [3]string // addresses
	routes  [3]string
	servers [3]*server.Server
}

const password = "a-password-of-the-test"

// start starts a cluster by the configuration of the page.
func start(t *testing.T) *nats {
	t.Setenv("PHOTOS_PASSWORD", password)
	c := &nats{T: t, dir: t.TempDir()}
	certificates(t, c.dir)
	for i := range c.servers {
		c.clients[i], c.routes[i] = freeAddress(t), freeAddress(t)
	}
	for i := range c.servers {
		c.start(i)
	}
	t.Cleanup(func() {
		for i := range c.servers {
			c.stop(i)
		}
	})
	for i := range c.servers {
		c.ready(i)
	}
	return c
}

func (c *nats) store(i int) string { return filepath.Join(c.dir, fmt.Sprintf("store%d", i)) }

// start starts a server with what the page has for it.
func (c *nats) start(i int) {
	c.Helper()
	text := strings.NewReplacer(
		"server_name: n1", fmt.Sprintf("server_name: n%d", i+1), "/etc/nats", c.dir, "/var/lib/nats", c.store(i),
		"0.0.0.0:4222", c.clients[i], "0.0.0.0:6222", c.routes[i],
		"n1.example:6222", c.routes[0], "n2.example:6222", c.routes[1], "n3.example:6222", c.routes[2],
	).Replace(page(c.T, "conf"))
	file := filepath.Join(c.dir, fmt.Sprintf("n%d.conf", i+1))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
	o, err := server.ProcessConfigFile(file)
	if err != nil {
		c.Fatal(err)
	}
	o.NoSigs, o.NoLog = true, true
	if c.servers[i], err = server.NewServer(o); err != nil {
		c.Fatal(err)
	}
	c.servers[i].Start()
}

// ready waits until a server can be used, and the cluster has a leader.
func (c *nats) ready(i int) {
	c.Helper()
	if !c.servers[i].ReadyForConnections(site.Patience) {
		c.Fatalf("server %d does not get ready", i)
	}
	for deadline := time.Now().Add(site.Patience); !c.servers[i].JetStreamIsCurrent(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.Fatalf("server %d does not join the others", i)
		}
	}
}

// current waits until all servers have all of the run photos.
func (c *nats) current() {
	c.Helper()
	nc, err := fleet.Connect(fleet.Server{URL: c.url(), CA: c.ca()}, "test")
	if err != nil {
		c.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		c.Fatal(err)
	}
	const work = "processpool-photos-work"
	for deadline := time.Now().Add(site.Patience); ; time.Sleep(20 * time.Millisecond) {
		behind := ""
		for _, name := range []string{work, "processpool-photos-dead", "KV_processpool-photos"} {
			if s, err := js.Stream(c.Context(), name); err != nil || !whole(s.CachedInfo().Cluster) {
				behind = name
			}
		}
		if consumer, err := js.Consumer(c.Context(), work, "work"); err != nil || !whole(consumer.CachedInfo().Cluster) {
			behind = "the consumer"
		}
		if behind == "" {
			return
		}
		if time.Now().After(deadline) {
			c.Fatalf("a server does not get %s from the others", behind)
		}
	}
}

// whole reports whether three servers have a stream or a consumer, and all of it.
func whole(c *jetstream.ClusterInfo) bool {
	return c != nil && c.Leader != "" && len(c.Replicas) == 2 && c.Replicas[0].Current && c.Replicas[1].Current
}

func (c *nats) ca() string { return filepath.Join(c.dir, "ca.pem") }

func (c *nats) stop(i int) {
	if c.servers[i] != nil {
		c.servers[i].Shutdown()
		c.servers[i].WaitForShutdown()
		c.servers[i] = nil
	}
}

// url returns the value of --nats.
func (c *nats) url() string {
	var all []string
	for _, address := range c.clients {
		all = append(all, "tls://photos:"+password+"@"+address)
	}
	return strings.Join(all, ",")
}

// page returns the first block of a kind of docs/fleet.md.
func page(t *testing.T, kind string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "fleet.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(text), "\n```"+kind+"\n")
	block, _, end := strings.Cut(block, "\n```\n")
	if !ok || !end {
		t.Fatalf("docs/fleet.md has no block of %s", kind)
	}
	return block
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// certificates writes a CA, and a certificate for all servers with its key.
func certificates(t *testing.T, dir string) {
	t.Helper()
	ca, server := s3test.NewAuthority()
	key, err := x509.MarshalPKCS8PrivateKey(server.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"ca.pem":     ca,
		"server.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate[0]}),
		"server.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
