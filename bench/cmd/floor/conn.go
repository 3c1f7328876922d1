package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bufferSize is the number of bytes that one recv requests.
const bufferSize = 1 << 20

// conn is one connection of one thread.
type conn struct {
	fd           int
	host, prefix string
	buffer       []byte
	pipe         [2]int    // used by splice
	secure       *tls.Conn // nil: plain HTTP
	piece        int64     // bytes that are written at a time
}

func dial(url, bucket, ca string) (*conn, error) {
	_, host, _ := strings.Cut(url, "://")
	address, err := netip.ParseAddrPort(host)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	c := &conn{fd: fd, host: host, prefix: "/" + bucket + "/", piece: bufferSize}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()}); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	const page = 4096
	c.buffer = make([]byte, bufferSize+page)
	c.buffer = c.buffer[-uintptr(unsafe.Pointer(&c.buffer[0]))&(page-1):][:bufferSize]
	if ca != "" {
		return c, c.handshake(ca, address.Addr().String())
	}
	if *useSplice {
		return c, c.makePipe()
	}
	return c, nil
}

func (c *conn) close() { unix.Close(c.fd) }

// get requests a range and writes it to the file.
func (c *conn) get(p piece) error {
	request := fmt.Sprintf("GET %s%s HTTP/1.1\r\nHost: %s\r\nRange: bytes=%d-%d\r\n\r\n", c.prefix, p.key, c.host, p.first, p.last)
	if err := c.send([]byte(request)); err != nil {
		return err
	}
	offset, left := p.first, p.last-p.first+1
	body, err := c.header(left)
	if err != nil {
		return err
	}
	if *useDirect {
		return c.direct(p, body)
	}
	if err := write(p.fd, body, offset); err != nil {
		return err
	}
	offset, left = offset+int64(len(body)), left-int64(len(body))
	if *useSplice {
		return c.splice(p.fd, offset, left)
	}
	for left > 0 {
		b := c.buffer[:min(left, c.piece)]
		n, err := c.recv(b, unix.MSG_WAITALL)
		if err != nil {
			return err
		}
		if err := write(p.fd, b[:n], offset); err != nil {
			return err
		}
		offset, left = offset+int64(n), left-int64(n)
	}
	return nil
}

// direct writes a range of whole pages past the page cache, of which body has arrived.
func (c *conn) direct(p piece, body []byte) error {
	have := copy(c.buffer, body)
	for offset, left := p.first, p.last-p.first+1; left > 0; {
		b := c.buffer[:min(left, bufferSize)]
		for have < len(b) {
			n, err := c.recv(b[have:], unix.MSG_WAITALL)
			if err != nil {
				return err
			}
			have += n
		}
		if err := write(p.fd, b, offset); err != nil {
			return err
		}
		offset, left, have = offset+int64(len(b)), left-int64(len(b)), 0
	}
	return nil
}

// header reads the header of a response and returns the part of the body that arrived with it.
func (c *conn) header(length int64) ([]byte, error) {
	flags := 0
	if *useSplice {
		flags = unix.MSG_PEEK // the body must stay in the socket
	}
	for n := 0; n < 16<<10; {
		m, err := c.recv(c.buffer[n:64<<10], flags)
		if err != nil {
			return nil, err
		}
		n += m
		head, body, found := bytes.Cut(c.buffer[:n], []byte("\r\n\r\n"))
		if !found {
			if *useSplice {
				n = 0
			}
			continue
		}
		if !bytes.HasPrefix(head, []byte("HTTP/1.1 206 ")) ||
			!bytes.Contains(head, fmt.Appendf(nil, "Content-Length: %d\r\n", length)) {
			return nil, fmt.Errorf("unexpected response:\n%s", head)
		}
		if *useSplice {
			_, err := c.recv(c.buffer[:len(head)+4], unix.MSG_WAITALL)
			return nil, err
		}
		return body, nil
	}
	return nil, errors.New("the header of the response is too long")
}

func recv(fd int, p []byte, flags int) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), uintptr(flags), 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return 0, errno
		case n == 0:
			return 0, errors.New("the connection was closed early")
		default:
			return int(n), nil
		}
	}
}

func write(fd int, p []byte, offset int64) error {
	for len(p) > 0 {
		n, _, errno := unix.RawSyscall6(unix.SYS_PWRITE64, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), uintptr(offset), 0, 0)
		if errno != 0 && errno != unix.EINTR {
			return errno
		}
		if errno == 0 {
			p, offset = p[n:], offset+int64(n)
		}
	}
	return nil
}
