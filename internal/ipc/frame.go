package ipc

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"
)

// MaxFrame bounds a frame's length in bytes. The largest frames in practice carry the certificates
// of Config.CABundle, or the parts of an object. A page of a listing has no bound: see Listed.
const MaxFrame = 16 << 20

const headerSize = 5

// UnsendableError is the error of a Send whose message has no frame: it is over MaxFrame, or JSON
// cannot express one of its values. Nothing was sent, and other messages can be.
type UnsendableError struct {
	Message string // the kind, and the operation of a Job or a Result
	Err     error
}

func (e *UnsendableError) Error() string { return "cannot send " + e.Message + ": " + e.Err.Error() }
func (e *UnsendableError) Unwrap() error { return e.Err }

func unsendable(m Message, err error) error {
	name := reflect.TypeOf(m).Elem().Name()
	if o, ok := m.(interface{ Op() Op }); ok && o.Op() != "" {
		name += " of " + string(o.Op())
	}
	return &UnsendableError{name, err}
}

// Check returns the error, an *UnsendableError, with which a Send of m would fail before it sends.
func Check(m Message) error {
	_, err := appendFrame(nil, m)
	return err
}

// appendFrame appends the frame of m to dst. Its error is an *UnsendableError.
func appendFrame(dst []byte, m Message) ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, unsendable(m, err)
	}
	if length := len(body) + 1; length > MaxFrame {
		return nil, unsendable(m, fmt.Errorf("its %d bytes are over the limit of %d", length, MaxFrame))
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(body)+1))
	dst = append(dst, byte(m.kind()))
	return append(dst, body...), nil
}

// decodeFrame decodes the first frame of p and returns its length n. If p holds only a part of the
// frame, n is 0.
func decodeFrame(p []byte) (m Message, n int, err error) {
	if len(p) < headerSize {
		return nil, 0, nil
	}
	length := binary.BigEndian.Uint32(p)
	if length < 1 || length > MaxFrame {
		return nil, 0, fmt.Errorf("ipc: a frame of %d bytes is not of this protocol", length)
	}
	m = newMessage(kind(p[4]))
	if m == nil {
		return nil, 0, fmt.Errorf("ipc: frame of unknown kind %d", p[4])
	}
	end := 4 + int(length)
	if len(p) < end {
		return nil, 0, nil
	}
	if err := checkCommas(p[headerSize:end]); err != nil {
		return nil, 0, fmt.Errorf("ipc: decode %T: %w", m, err)
	}
	if err := json.Unmarshal(p[headerSize:end], m); err != nil {
		return nil, 0, fmt.Errorf("ipc: decode %T: %w", m, err)
	}
	return m, end, nil
}

// maxCommas bounds the commas between the values of a frame. The frames with the most have the
// 10,000 parts of an object, or some 5000 entries of a listing.
const maxCommas = 100_000

// checkCommas returns an error if a body has more values than any message has. In a list of {} each
// takes three bytes in the frame, and up to a hundred in memory.
func checkCommas(body []byte) error {
	commas, text := 0, false
	for i := 0; i < len(body); i++ {
		switch b := body[i]; {
		case b == '"':
			text = !text
		case b == '\\' && text:
			i++
		case b == ',' && !text:
			commas++
		}
	}
	if commas > maxCommas {
		return fmt.Errorf("a body of %d values, which no message has", commas+1)
	}
	return nil
}
