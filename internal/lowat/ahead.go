package lowat

import (
	"bytes"
	"crypto/tls"
	"reflect"
)

// ahead is how many bytes of a TLS connection are read at a time at most, with ReadAhead.
const ahead = 256 << 10

// ReadAhead has a TLS connection read up to 256 KiB at a time. By itself crypto/tls makes a
// system call for each 32 KiB, and for each of these the kernel tells the sender of the new space. The
// caller calls it before the handshake, and before anybody else has the connection.
//
// crypto/tls decrypts in the buffer into which it has read, so that reading ahead costs no copy. The
// buffer is a bytes.Buffer whose room is as large as the records have needed; there is no setting.
// ReadAhead gives it more room, which changes nothing else. If another version of Go has no such buffer,
// ReadAhead does nothing.
func ReadAhead(conn *tls.Conn) {
	if b := rawInput(conn); b != nil {
		b.Grow(ahead)
	}
}

// rawInput returns the buffer of a *tls.Conn in which undecrypted bytes are, or nil.
func rawInput(conn any) *bytes.Buffer {
	field := reflect.ValueOf(conn).Elem().FieldByName("rawInput")
	if !field.IsValid() || field.Type() != reflect.TypeFor[bytes.Buffer]() {
		return nil
	}
	return (*bytes.Buffer)(field.Addr().UnsafePointer())
}
