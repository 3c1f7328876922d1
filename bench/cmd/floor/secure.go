package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool/internal/lowat"
)

// securePiece is what is written at a time over TLS, as by this library: it should still be in the
// processor's cache.
const securePiece = 128 << 10

// handshake has the connection use crypto/tls.
func (c *conn) handshake(ca, name string) error {
	pem, err := os.ReadFile(ca)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return errors.New("no certificate in " + ca)
	}
	if *useSplice {
		return errors.New("the kernel cannot decrypt")
	}
	c.piece = securePiece
	c.secure = tls.Client(socket{fd: c.fd}, &tls.Config{RootCAs: roots, ServerName: name})
	if *useAhead {
		lowat.ReadAhead(c.secure)
	}
	return c.secure.Handshake()
}

func (c *conn) send(p []byte) error {
	if c.secure != nil {
		_, err := c.secure.Write(p)
		return err
	}
	_, err := unix.Write(c.fd, p)
	return err
}

// recv is recv(2) of the plain bytes.
func (c *conn) recv(p []byte, flags int) (int, error) {
	switch {
	case c.secure == nil:
		return recv(c.fd, p, flags)
	case flags == unix.MSG_WAITALL:
		return io.ReadFull(c.secure, p)
	}
	return c.secure.Read(p)
}

// socket is a blocking socket, for crypto/tls.
type socket struct {
	net.Conn // nil: nothing else is called
	fd       int
}

func (s socket) Read(p []byte) (int, error)  { return recv(s.fd, p, 0) }
func (s socket) Write(p []byte) (int, error) { return unix.Write(s.fd, p) }
func (s socket) Close() error                { return nil }
