package ipc

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// MaxFrame bounds a frame's length in bytes. The largest frame in practice carries the certificates
// of Config.CABundle.
const MaxFrame = 16 << 20

const headerSize = 5

// appendFrame appends the frame of m to dst.
func appendFrame(dst []byte, m Message) ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("ipc: encode %T: %w", m, err)
	}
	if len(body)+1 > MaxFrame {
		return nil, fmt.Errorf("ipc: encode %T: %d bytes are over the limit of %d", m, len(body), MaxFrame)
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
	if err := json.Unmarshal(p[headerSize:end], m); err != nil {
		return nil, 0, fmt.Errorf("ipc: decode %T: %w", m, err)
	}
	return m, end, nil
}
