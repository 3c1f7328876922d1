//go:build realservers && linux

package realservers

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// act is what a proxy does to a connection.
type act string

const (
	reset act = "reset" // RST
	end   act = "end"   // FIN
	stall act = "stall" // say nothing more
	flip  act = "flip"  // one bit, and go on
)

// fault strikes a connection when so many bytes have come from the server.
type fault struct {
	act   act
	after int64
}

// proxy passes TCP connections on to a server. Each connection has the next of its
// faults, and none when all are used up.
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

// through starts a proxy before s, and returns s as it is reached through it.
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

// strikes returns how many faults have struck.
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

// pass carries one connection until either side ends it, or its fault does.
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
		io.Copy(io.Discard, client) // until the client leaves
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

// keep has close end the connections, and tells whether it has not yet.
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
