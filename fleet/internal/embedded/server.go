// Package embedded runs a NATS server with JetStream in this process, with its files in a directory
// of its own.
package embedded

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Options are those of Start.
type Options struct {
	Dir  string // of the server's files; it is created
	Host string // to listen on; "": 127.0.0.1
	Port int    // 0: that of the last time, or else a free one
}

// Server is a server that runs.
type Server struct {
	server *server.Server
	lock   *os.File
	url    string
}

// ErrRunning means that another process has a server with these files.
var ErrRunning = errors.New("a server with these files is running")

// note is the file by which other processes of the user find the server. It holds a secret: who can
// put messages into a queue decides what is downloaded.
type note struct {
	URL   string `json:"url"`
	Port  int    `json:"port"`
	Token string `json:"token"`
}

const noteName = "server.json"

// Start starts a server, and waits until it can be used.
func Start(o Options) (*Server, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := acquire(filepath.Join(o.Dir, "lock"))
	if err != nil {
		return nil, err
	}
	s, err := start(o)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s.lock = lock
	return s, nil
}

func start(o Options) (*Server, error) {
	last, err := read(o.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if last.Token == "" {
		last.Token = rand.Text()
	}
	host := o.Host
	if host == "" {
		host = "127.0.0.1"
	}
	// Clients that know the last port find the server again.
	var s *server.Server
	for _, port := range ports(o.Port, last.Port) {
		if s, err = try(o.Dir, host, port, last.Token); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	address := s.Addr().(*net.TCPAddr)
	n := note{Port: address.Port, Token: last.Token}
	reach := host
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		reach = "127.0.0.1"
	}
	n.URL = (&url.URL{Scheme: "nats", User: url.User(n.Token), Host: net.JoinHostPort(reach, strconv.Itoa(n.Port))}).String()
	if err := n.write(o.Dir); err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, err
	}
	return &Server{server: s, url: n.URL}, nil
}

func ports(asked, last int) []int {
	switch {
	case asked != 0:
		return []int{asked}
	case last != 0:
		return []int{last, server.RANDOM_PORT}
	}
	return []int{server.RANDOM_PORT}
}

func try(dir, host string, port int, token string) (*server.Server, error) {
	if port > 0 {
		// The server ends the process if it cannot listen.
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return nil, err
		}
		if err := l.Close(); err != nil {
			return nil, err
		}
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "s3fleet", Host: host, Port: port, Authorization: token, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: dir, DontListen: false, MaxPayload: 1 << 20, SyncInterval: 10 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("the server in %s does not get ready", dir)
	}
	if !s.JetStreamEnabled() {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("the server cannot keep streams in %s", dir)
	}
	return s, nil
}

// URL returns where clients find the server, with the secret.
func (s *Server) URL() string { return s.url }

// Clients returns how many connections the server has.
func (s *Server) Clients() int { return s.server.NumClients() }

// Stop stops the server. What it keeps stays.
func (s *Server) Stop() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
	s.lock.Close()
}

// Find returns the URL of the server that runs with the files of a directory.
func Find(dir string) (string, error) {
	n, err := read(dir)
	return n.URL, err
}

func read(dir string) (n note, err error) {
	text, err := os.ReadFile(filepath.Join(dir, noteName))
	if err != nil {
		return n, err
	}
	if err := json.Unmarshal(text, &n); err != nil {
		return n, fmt.Errorf("%s: %w", filepath.Join(dir, noteName), err)
	}
	return n, nil
}

func (n note) write(dir string) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	name := filepath.Join(dir, noteName)
	if err := os.WriteFile(name+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
