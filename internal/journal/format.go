package journal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
)

// Header says which object the partial file is of.
type Header struct {
	Bucket       string
	Key          string
	VersionID    string `json:",omitempty"`
	ETag         string
	Size         int64
	LastModified time.Time
	Algorithm    checksum.Algorithm // of the records' sums; it combines
}

// Same tells whether two headers are of the same bytes, whatever their sums are made with.
func (h Header) Same(other Header) bool {
	return h.Bucket == other.Bucket && h.Key == other.Key && h.VersionID == other.VersionID &&
		h.ETag == other.ETag && h.Size == other.Size && h.LastModified.Equal(other.LastModified)
}

// Record says that a range is in the file for good.
type Record struct {
	Offset, Length int64
	Sum            uint64
}

// End is the offset behind the range.
func (r Record) End() int64 { return r.Offset + r.Length }

const (
	magic      = "\x89ppjrnl\n" // not text, and no line end that a careless copy would change
	format     = 1
	fixedSize  = len(magic) + 4 + 4
	recordSize = 32
	maxBody    = 64 << 10 // bucket and key have at most 1.1 KiB, the rest much less
)

// Errors of a header. None of them is the user's concern: such a journal is begun anew.
var (
	ErrForeign = errors.New("it is not a journal of this library")
	ErrFormat  = errors.New("it is of another format")
	ErrDamaged = errors.New("its header is damaged")
)

// crc32C goes on with the CRC32C of what came before p, 0 for nothing.
func crc32C(crc uint32, p []byte) uint32 { return uint32(checksum.CRC32C.Update(uint64(crc), p)) }

// body is a header as it is written. The salt tells the records of one journal from those of the next.
type body struct {
	Header
	Salt []byte
}

func encodeHeader(h Header, salt []byte) ([]byte, error) {
	text, err := json.Marshal(body{h, salt})
	if err != nil {
		return nil, err
	}
	if len(text) > maxBody {
		return nil, fmt.Errorf("a header of %d bytes", len(text))
	}
	p := binary.LittleEndian.AppendUint32([]byte(magic), format)
	p = binary.LittleEndian.AppendUint32(p, uint32(len(text)))
	p = append(p, text...)
	return binary.LittleEndian.AppendUint32(p, crc32C(0, p)), nil
}

// decodeHeader reads a header, and returns the seed of its records' CRCs, too.
func decodeHeader(r io.Reader) (h Header, seed uint32, err error) {
	p := make([]byte, fixedSize)
	if n, err := io.ReadFull(r, p); err != nil {
		if n == 0 {
			return Header{}, 0, io.EOF
		}
		if string(p[:min(n, len(magic))]) != magic[:min(n, len(magic))] {
			return Header{}, 0, ErrForeign
		}
		return Header{}, 0, ErrDamaged
	}
	if string(p[:len(magic)]) != magic {
		return Header{}, 0, ErrForeign
	}
	if got := binary.LittleEndian.Uint32(p[len(magic):]); got != format {
		return Header{}, 0, fmt.Errorf("%w: %d", ErrFormat, got)
	}
	length := binary.LittleEndian.Uint32(p[len(magic)+4:])
	if length > maxBody {
		return Header{}, 0, ErrDamaged
	}
	p = append(p, make([]byte, length+4)...)
	if _, err := io.ReadFull(r, p[fixedSize:]); err != nil {
		return Header{}, 0, ErrDamaged
	}
	text, sum := p[:len(p)-4], binary.LittleEndian.Uint32(p[len(p)-4:])
	if crc32C(0, text) != sum {
		return Header{}, 0, ErrDamaged
	}
	var b body
	if err := json.Unmarshal(text[fixedSize:], &b); err != nil {
		return Header{}, 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if !b.Algorithm.Combines() || b.Size < 0 {
		return Header{}, 0, ErrDamaged
	}
	return b.Header, sum, nil
}

func appendRecord(p []byte, r Record, seed uint32) []byte {
	start := len(p)
	p = binary.LittleEndian.AppendUint64(p, uint64(r.Offset))
	p = binary.LittleEndian.AppendUint64(p, uint64(r.Length))
	p = binary.LittleEndian.AppendUint64(p, r.Sum)
	p = binary.LittleEndian.AppendUint32(p, 0)
	return binary.LittleEndian.AppendUint32(p, recordCRC(p[start:], seed))
}

func recordCRC(p []byte, seed uint32) uint32 {
	crc := crc32C(0, binary.LittleEndian.AppendUint32(nil, seed))
	return crc32C(crc, p[:recordSize-4])
}

// decodeRecords reads records up to the first that is not whole, or not of an object of size bytes.
// Whatever else the journal says is not heard.
func decodeRecords(r io.Reader, seed uint32, size int64) []Record {
	var records []Record
	p := make([]byte, recordSize)
	for {
		if _, err := io.ReadFull(r, p); err != nil {
			return records
		}
		rec := Record{
			Offset: int64(binary.LittleEndian.Uint64(p)),
			Length: int64(binary.LittleEndian.Uint64(p[8:])),
			Sum:    binary.LittleEndian.Uint64(p[16:]),
		}
		if binary.LittleEndian.Uint32(p[recordSize-4:]) != recordCRC(p, seed) || binary.LittleEndian.Uint32(p[24:]) != 0 ||
			rec.Offset < 0 || rec.Length < 1 || rec.Offset > size-rec.Length {
			return records
		}
		records = append(records, rec)
	}
}
