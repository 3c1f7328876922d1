package disk

import (
	"encoding/binary"
	"syscall"

	"golang.org/x/sys/unix"
)

// Operations of the FUSE protocol (https://www.kernel.org/doc/html/latest/filesystems/fuse.html,
// include/uapi/linux/fuse.h).
const (
	opLookup      = 1
	opForget      = 2
	opGetattr     = 3
	opSetattr     = 4
	opMkdir       = 9
	opUnlink      = 10
	opRmdir       = 11
	opRename      = 12
	opOpen        = 14
	opRead        = 15
	opWrite       = 16
	opStatfs      = 17
	opRelease     = 18
	opFsync       = 20
	opSetxattr    = 21
	opGetxattr    = 22
	opRemovexattr = 24
	opFlush       = 25
	opInit        = 26
	opOpendir     = 27
	opReaddir     = 28
	opReleasedir  = 29
	opFsyncdir    = 30
	opSetlk       = 32
	opSetlkw      = 33
	opAccess      = 34
	opCreate      = 35
	opInterrupt   = 36
	opBatchForget = 42
	opFallocate   = 43
	opRename2     = 45

	flagBigWrites  = 1 << 5
	flagFlockLocks = 1 << 10
	maxWrite       = 1 << 17
	headerSize     = 40
)

// refusals are the names of operations in Options.Refuse.
var refusals = map[uint32]string{
	opFsync: "fsync", opFsyncdir: "fsyncdir", opFallocate: "fallocate", opSetxattr: "setxattr",
	opSetlk: "flock", opSetlkw: "flock", opMkdir: "mkdir", opCreate: "create", opWrite: "write",
}

// request is an operation of the kernel.
type request struct {
	op       uint32
	node     uint64
	uid, gid uint32
	body     []byte
}

func (r *request) u32(at int) uint32 { return binary.LittleEndian.Uint32(r.body[at:]) }
func (r *request) u64(at int) uint64 { return binary.LittleEndian.Uint64(r.body[at:]) }

// answer does what the kernel asks for. It returns nil for an operation that has no answer.
func (s *server) answer(p []byte) []byte {
	le := binary.LittleEndian
	r := &request{le.Uint32(p[4:]), le.Uint64(p[16:]), le.Uint32(p[24:]), le.Uint32(p[28:]), p[headerSize:]}
	if r.op == opForget || r.op == opBatchForget || r.op == opInterrupt {
		return nil
	}
	body, errno := s.do(r)
	if errno != 0 {
		body = nil
	}
	out := le.AppendUint32(nil, uint32(16+len(body)))
	out = le.AppendUint32(out, uint32(-int32(errno)))
	out = le.AppendUint64(out, le.Uint64(p[8:]))
	return append(out, body...)
}

func (s *server) do(r *request) ([]byte, syscall.Errno) {
	if errno := s.options.Refuse[refusals[r.op]]; errno != 0 && refusals[r.op] != "" {
		return nil, errno
	}
	switch r.op {
	case opInit:
		return s.start(), 0
	case opStatfs:
		return statfs(), 0
	case opOpen, opOpendir:
		return make([]byte, 16), 0
	case opRelease, opReleasedir, opFlush, opFsyncdir, opAccess, opSetlk, opSetlkw:
		return nil, 0
	}
	n := s.nodes[r.node]
	if n == nil {
		return nil, unix.ESTALE
	}
	switch r.op {
	case opLookup, opMkdir, opUnlink, opRmdir, opCreate, opRename, opRename2, opReaddir:
		return s.inDirectory(n, r)
	}
	return s.ofNode(n, r)
}

// start answers the first request: protocol 7.31, and what the server can do.
func (s *server) start() []byte {
	flags := uint32(flagBigWrites)
	if s.options.Refuse["flock"] != 0 {
		flags |= flagFlockLocks
	}
	le := binary.LittleEndian
	p := make([]byte, 64)
	le.PutUint32(p, 7)
	le.PutUint32(p[4:], 31)
	le.PutUint32(p[8:], maxWrite) // read ahead
	le.PutUint32(p[12:], flags)
	le.PutUint16(p[16:], 16)
	le.PutUint16(p[18:], 12)
	le.PutUint32(p[20:], maxWrite)
	le.PutUint32(p[24:], 1) // time granularity, in ns
	return p
}

func statfs() []byte {
	le := binary.LittleEndian
	p := make([]byte, 80)
	for _, at := range []int{0, 8, 16, 24, 32} { // blocks and files, and what is free of them
		le.PutUint64(p[at:], 1<<20)
	}
	le.PutUint32(p[40:], 4096)
	le.PutUint32(p[44:], 255) // length of names
	le.PutUint32(p[48:], 4096)
	return p
}
