//go:build realservers && linux

package realservers

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// act is an action of a proxy on a connection.
type act string

const (
	reset act = "reset" // RST
	end   act = "end"   // FIN
	stall act = "stall" // send nothing more
	flip  act = "flip"  // flip one bit and continue
)

// fault is an action on a connection after a number of bytes from the server.
type fault struct {
	act   act
	after int64
}

// proxy forwards TCP connections to a server. Each connection gets the next fault, or none if all
// have been used.
type proxy struct {
	ln net.Listener
	to string

	mu     sync.Mutex
	faults []fault
	struck int
	conns  map[net.Conn]bool
	closed bool
	wait   sync.WaitGroup
}

// through starts a proxy in front of s, and returns a copy of s with the address of the proxy.
func through(t *testing.T, s *server, faults ...fault) (*server, *proxy) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	scheme, address, _ := strings.Cut(s.url, "://")
	p := &proxy{ln: ln, to: address, faults: faults, conns: map[net.Conn]bool{}}
	p.wait.Go(p.serve)
	t.Cleanup(p.close)
	behind := *s
	behind.url = scheme + "://" + ln.Addr().String()
	return &behind, p
}

// strikes returns the number of faults that have fired.
func (p *proxy) strikes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.struck
}

func (p *proxy) close() {
	p.ln.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.wait.Wait()
}

func (p *proxy) serve() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.wait.Go(func() { p.pass(client.(*net.TCPConn)) })
	}
}

// pass forwards one connection until one of the sides or the fault ends it.
func (p *proxy) pass(client *net.TCPConn) {
	f := p.next()
	remote, err := net.Dial("tcp", p.to)
	if err != nil {
		client.Close()
		return
	}
	server := remote.(*net.TCPConn)
	if !p.keep(client, server) {
		return
	}
	defer p.drop(client, server)
	var up sync.WaitGroup
	up.Go(func() {
		io.Copy(server, client)
		server.CloseWrite()
	})
	defer up.Wait()
	defer server.Close()
	defer client.Close()
	if f == nil {
		io.Copy(client, server)
		return
	}
	if _, err := io.CopyN(client, server, f.after); err != nil {
		return
	}
	one := make([]byte, 1)
	if _, err := io.ReadFull(server, one); err != nil {
		return
	}
	p.mu.Lock()
	p.struck++
	p.mu.Unlock()
	switch f.act {
	case reset:
		client.SetLinger(0)
	case stall:
		io.Copy(io.Discard, client) // until the client disconnects
	case flip:
		one[0] ^= 1
		if _, err := client.Write(one); err == nil {
			io.Copy(client, server)
		}
	}
}

func (p *proxy) next() *fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.faults) == 0 {
		return nil
	}
	f := p.faults[0]
	p.faults = p.faults[1:]
	return &f
}

// keep registers connections that close must end. It reports false if the proxy is already closed.
func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.closed {
			c.Close()
		}
		p.conns[c] = true
	}
	return !p.closed
}

func (p *proxy) drop(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}
