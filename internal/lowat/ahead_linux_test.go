package lowat

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http/httptest"
	"testing"
	"time"
)

// secured returns the two ends of a TLS connection, before the handshake.
func secured(t *testing.T) (client, server *tls.Conn, below *Conn) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS() // for its certificate
	defer s.Close()
	c, peer := pair(t)
	client = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	return client, tls.Server(peer, &tls.Config{Certificates: s.TLS.Certificates}), c
}

// TestReadAhead: a read of one byte takes what has arrived from the socket, up to 256 KiB, and all bytes
// come in order. It fails where crypto/tls has changed so much that ReadAhead does nothing.
func TestReadAhead(t *testing.T) {
	const size = 3 << 20
	want := make([]byte, size)
	for i := range want {
		want[i] = byte(i * 7 >> 3)
	}
	for _, with := range []bool{false, true} {
		client, server, below := secured(t)
		if with {
			ReadAhead(client)
		}
		sent := make(chan error, 1)
		go func() {
			_, err := server.Write(want)
			sent <- err
		}()
		if err := client.HandshakeContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); unread(t, below) < ahead; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("only %d bytes have arrived", unread(t, below))
			}
		}
		got := make([]byte, size)
		if _, err := io.ReadFull(client, got[:1]); err != nil {
			t.Fatal(err)
		}
		if n := rawInput(client).Len(); with != (n > ahead/2) {
			t.Errorf("ReadAhead=%t: %d bytes were read ahead", with, n)
		}
		if _, err := io.ReadFull(client, got[1:]); err != nil || !bytes.Equal(got, want) {
			t.Errorf("ReadAhead=%t: other bytes have arrived, %v", with, err)
		}
		if n := rawInput(client).Cap(); with && n > 2*ahead {
			t.Errorf("the buffer has %d bytes", n)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
	}
}

// TestReadAheadElsewhere: another crypto/tls is left alone.
func TestReadAheadElsewhere(t *testing.T) {
	for _, other := range []any{&struct{}{}, &struct{ rawInput []byte }{}, &struct{ rawInput *bytes.Buffer }{}} {
		if b := rawInput(other); b != nil {
			t.Errorf("%T: got a buffer", other)
		}
	}
}

// TestReadAheadLimited: with a limit of the window, no more than that is read at a time.
func TestReadAheadLimited(t *testing.T) {
	const limit = 40 << 10
	client, server, below := secured(t)
	ReadAhead(client)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go server.HandshakeContext(ctx)
	if err := client.HandshakeContext(ctx); err != nil {
		t.Fatal(err)
	}
	body := Body{conn: below}
	body.Window(limit)
	go server.Write(make([]byte, 4<<20)) // it ends with the connection
	const record = 17 << 10              // that was incomplete
	for total := 0; total < 2<<20; {
		n, err := client.Read(make([]byte, 16<<10))
		if err != nil {
			t.Fatal(err)
		}
		total += n
		if n := rawInput(client).Len(); n > limit+record {
			t.Fatalf("%d bytes were read ahead, want %d at most", n, limit+record)
		}
	}
}
