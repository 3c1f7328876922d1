package journal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/s3processpool/processpool/internal/checksum"
)

// Header describes the object that the partial file belongs to.
type Header struct {
	Bucket       string
	Key          string
	VersionID    string `json:",omitempty"`
	ETag         string
	First        int64 `json:",omitempty"` // offset in the object of the file's first byte
	Size         int64 // of the file
	LastModified time.Time
	Algorithm    checksum.Algorithm // of the records' sums; its sums can be combined
	Perm         fs.FileMode        `json:",omitempty"` // that the complete file gets if it replaces none
}

// Same reports whether two headers describe the same bytes. It ignores Algorithm and
// Perm.
func (h Header) Same(other Header) bool {
	return h.Bucket == other.Bucket && h.Key == other.Key && h.VersionID == other.VersionID &&
		h.ETag == other.ETag && h.First == other.First && h.Size == other.Size && h.LastModified.Equal(other.LastModified)
}

// Record says that a range of the file is on stable storage.
type Record struct {
	Offset, Length int64
	Sum            uint64
}

// End returns the offset after the last byte of the range.
func (r Record) End() int64 { return r.Offset + r.Length }

const (
	magic      = "\x89ppjrnl\n" // not text, so that no copy converts its line ends
	format     = 1
	fixedSize  = len(magic) + 4 + 4
	recordSize = 32
	maxBody    = 64 << 10 // bucket and key have at most 1.1 KiB, the rest much less

	// maxRecords bounds the memory for a journal, which may not be what it seems: 24 MiB. An object
	// of 5 TiB has 655,360 ranges of 8 MiB. What a longer journal says of further ranges is ignored;
	// they are fetched again.
	maxRecords = 1 << 20
)

// Errors of a header. Users do not see them: the download starts over with a new journal.
var (
	ErrForeign = errors.New("not a journal of this library")
	ErrFormat  = errors.New("unknown journal format")
	ErrDamaged = errors.New("the journal's header is damaged")
)

// crc32C returns the CRC32C of p appended to bytes whose CRC32C is crc. That of no bytes is 0.
func crc32C(crc uint32, p []byte) uint32 { return uint32(checksum.CRC32C.Update(uint64(crc), p)) }

// body is a header as it is encoded. The random Salt makes the CRCs of each journal's records
// different from those of the next journal.
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
		return nil, fmt.Errorf("the header has %d bytes, the limit is %d", len(text), maxBody)
	}
	p := binary.LittleEndian.AppendUint32([]byte(magic), format)
	p = binary.LittleEndian.AppendUint32(p, uint32(len(text)))
	p = append(p, text...)
	return binary.LittleEndian.AppendUint32(p, crc32C(0, p)), nil
}

// decodeHeader reads a header. It also returns the seed of the records' CRCs.
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

// decodeRecords reads records up to the first one that is incomplete, damaged, or outside an object
// of size bytes. It ignores everything after that.
func decodeRecords(r io.Reader, seed uint32, size int64) []Record {
	var records []Record
	p := make([]byte, recordSize)
	for len(records) < maxRecords {
		if _, err := io.ReadFull(r, p); err != nil {
			return records
		}
		rec := Record{
			Offset: int64(binary.LittleEndian.Uint64(p)),
			Length: int64(binary.LittleEndian.Uint64(p[8:])),
			Sum:    binary.LittleEndian.Uint64(p[16:]),
		}
		sum, kind := binary.LittleEndian.Uint32(p[recordSize-4:]), binary.LittleEndian.Uint32(p[24:])
		if sum != recordCRC(p, seed) || kind != 0 ||
			rec.Offset < 0 || rec.Length < 1 || rec.Offset > size-rec.Length {
			return records
		}
		records = append(records, rec)
	}
	return records
}
