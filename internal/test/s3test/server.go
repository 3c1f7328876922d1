// Package s3test implements a small S3 origin with net/http, for the tests and the quickstart of
// this module. It implements the part of S3 that downloads need, and tests can inject faults.
//
// [Server.ServeHTTP] records a request, looks for an injected [Fault], checks the signature, finds
// the object and writes the response as modified by the fault.
//
//	s := s3test.Start()
//	defer s.Close()
//	s.Put("mybucket", "mykey", data)
//	s.Inject(s3test.Fault{Method: "GET", Times: 2, Status: 503})
//	client := s3.NewFromConfig(s.Config(), s.ClientOptions())
package s3test

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Region is the region of the origin.
const Region = "us-east-1"

// Options holds the options of [Start].
type Options struct {
	TLS bool // serve HTTPS, with a certificate of a CA that Start creates

	// AccessKey and SecretKey enable the check of signatures. "" disables it.
	AccessKey, SecretKey string

	ETagOnly bool // send no x-amz-checksum headers, like many S3-compatible servers

	PageSize int // maximum number of keys on a page of a listing; 0: 1000, as S3
}

// Server is a running origin. All methods are safe for concurrent use.
type Server struct {
	opts  Options
	url   string
	caPEM []byte
	http  *http.Server
	at    presence
	done  chan struct{} // closed by Close; releases waiting handlers

	store  store
	keys   keyring
	log    requestLog
	faults faultList

	connections atomic.Int64
	conns       sync.WaitGroup // open connections and running handlers
	closing     sync.Once
}

// Start starts a server on a free port of 127.0.0.1. The caller must call Close. Start panics if it
// cannot listen.
func Start(optFns ...func(*Options)) *Server {
	s := &Server{done: make(chan struct{})}
	for _, fn := range optFns {
		fn(&s.opts)
	}
	s.log.init()
	if s.opts.AccessKey != "" {
		s.SetCredentials(s.opts.AccessKey, s.opts.SecretKey, "")
	}

	s.http = &http.Server{
		Handler:   s,
		ConnState: s.connState,
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	scheme := "http://"
	if s.opts.TLS {
		var cert tls.Certificate
		s.caPEM, cert = NewAuthority()
		s.at.tls = &tls.Config{Certificates: []tls.Certificate{cert}}
		scheme = "https://"
	}
	s.at.mu.conns, s.at.mu.news = map[net.Conn]bool{}, make(chan struct{})
	ln, err := s.listen("127.0.0.1:0")
	if err != nil {
		panic("s3test: " + err.Error())
	}
	s.at.addr = ln.Addr().String()
	s.url = scheme + s.at.addr
	return s
}

// Close closes the listener and all connections, including those of waiting requests, and waits
// until all handlers have returned. It must not be called from within a request (OnRequest,
// Fault.Do): use a goroutine there.
func (s *Server) Close() {
	s.closing.Do(func() {
		close(s.done)
		s.at.mu.Lock()
		s.at.mu.closed = true
		s.at.mu.Unlock()
		s.Leave()
		s.http.Close()
		s.conns.Wait()
	})
}

// URL returns the base URL, http(s)://127.0.0.1:port.
func (s *Server) URL() string { return s.url }

// CAPEM returns the certificate of the private CA, nil without TLS.
func (s *Server) CAPEM() []byte { return s.caPEM }

// Connections returns the number of connections accepted so far.
func (s *Server) Connections() int { return int(s.connections.Load()) }

// Config returns settings for an SDK client of this server, with the credentials that it currently
// accepts. With TLS the client must also trust CAPEM.
func (s *Server) Config() aws.Config {
	key := s.keys.current()
	if key.access == "" {
		key.access, key.secret = "AKIDEXAMPLE", "any"
	}
	return aws.Config{
		Region:       Region,
		BaseEndpoint: aws.String(s.url),
		Credentials:  credentials.NewStaticCredentialsProvider(key.access, key.secret, key.token),
		// The defaults of config.LoadDefaultConfig.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	}
}

// ClientOptions returns an option that selects path-style requests. The server supports no others.
func (s *Server) ClientOptions() func(*s3.Options) {
	return func(o *s3.Options) { o.UsePathStyle = true }
}

// Client returns an SDK client of this server, which trusts its CA.
func (s *Server) Client(optFns ...func(*s3.Options)) *s3.Client {
	cfg := s.Config()
	if s.caPEM != nil {
		cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.TLSClientConfig.RootCAs = certPool(s.caPEM)
		})
	}
	return s3.NewFromConfig(cfg, append([]func(*s3.Options){s.ClientOptions()}, optFns...)...)
}
