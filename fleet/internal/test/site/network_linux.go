package site

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Network is a host for servers, and hosts with a link of their own to it: network namespaces of
// this machine.
type Network struct {
	testing.TB
	base string
}

// NewNetwork returns a network of so many hosts. Where the machine has no namespaces, the test is
// skipped.
func NewNetwork(t testing.TB, hosts int) *Network {
	n := &Network{TB: t, base: fmt.Sprintf("s3f%d", os.Getpid())}
	if os.Getuid() != 0 {
		t.Skip("only root can have network namespaces")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skipf("network namespaces: %v (install iproute2)", err)
	}
	if out, err := exec.Command("ip", "netns", "add", n.hub()).CombinedOutput(); err != nil {
		t.Skipf("network namespaces: %v: %s", err, out)
	}
	t.Cleanup(func() { n.ip("netns", "del", n.hub()) })
	n.in(n.hub(), "link", "set", "lo", "up")
	for i := range hosts {
		host := n.host(i)
		n.ip("netns", "add", host)
		t.Cleanup(func() { n.ip("netns", "del", host) })
		n.in(n.hub(), "link", "add", n.link(i), "type", "veth", "peer", "name", "eth", "netns", host)
		n.in(n.hub(), "addr", "add", n.Server(i)+"/24", "dev", n.link(i))
		n.in(host, "addr", "add", fmt.Sprintf("10.99.%d.2/24", i), "dev", "eth")
		n.in(host, "link", "set", "dev", "eth", "up")
		n.Heal(i)
	}
	return n
}

func (n *Network) hub() string       { return n.base + "-hub" }
func (n *Network) host(i int) string { return fmt.Sprintf("%s-%d", n.base, i) }
func (n *Network) link(i int) string { return fmt.Sprintf("down%d", i) }

// Server returns the address of the servers' host for host i.
func (n *Network) Server(i int) string { return fmt.Sprintf("10.99.%d.1", i) }

// Cut has the link of host i lose all that is sent.
func (n *Network) Cut(i int) { n.in(n.hub(), "link", "set", "dev", n.link(i), "down") }

// Heal has it work again.
func (n *Network) Heal(i int) { n.in(n.hub(), "link", "set", "dev", n.link(i), "up") }

func (n *Network) in(host string, args ...string) {
	n.Helper()
	n.ip(append([]string{"-n", host}, args...)...)
}

func (n *Network) ip(args ...string) {
	n.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		n.Errorf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// On makes a command run on host i; -1: on that of the servers.
func (n *Network) On(i int, cmd *exec.Cmd) *exec.Cmd {
	n.Helper()
	host := n.hub()
	if i >= 0 {
		host = n.host(i)
	}
	on := exec.CommandContext(context.Background(), "ip", append([]string{"netns", "exec", host}, cmd.Args...)...)
	on.Env = cmd.Env
	return on
}

// Listen has the servers' host pass on connections to a port of its own, which it returns, to an
// address of this one.
func (n *Network) Listen(to string) (port int) {
	n.Helper()
	var l net.Listener
	failed := make(chan error)
	go func() { // its thread ends with it, since it stays in the namespace
		runtime.LockOSThread()
		space, err := os.Open("/run/netns/" + n.hub())
		if err == nil {
			defer space.Close()
			err = unix.Setns(int(space.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			l, err = net.Listen("tcp", "0.0.0.0:0")
		}
		failed <- err
	}()
	if err := <-failed; err != nil {
		n.Fatal(err)
	}
	n.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go pass(in, to)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// pass copies both ways until one side ends.
func pass(in net.Conn, to string) {
	defer in.Close()
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(in, out)
		in.Close()
	}()
	_, _ = io.Copy(out, in)
	out.Close()
}
