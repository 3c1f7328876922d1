package disk

import (
	"bytes"
	"encoding/binary"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Bits of the first field of a Setattr.
const (
	attrMode  = 1
	attrUID   = 2
	attrGID   = 4
	attrSize  = 8
	attrMtime = 32
)

// ofNode does what concerns a file or a directory, and no name.
func (s *server) ofNode(n *node, r *request) ([]byte, syscall.Errno) {
	switch r.op {
	case opGetattr:
		return n.attrOut(), 0
	case opSetattr:
		return s.setattr(n, r)
	case opRead:
		from := min(int(r.u64(8)), len(n.data))
		return n.data[from:min(from+int(r.u32(16)), len(n.data))], 0
	case opWrite:
		if errno := s.options.Refuse["direct"]; errno != 0 && r.u32(32)&unix.O_DIRECT != 0 {
			return nil, errno
		}
		from, data := int(r.u64(8)), r.body[40:]
		if end := from + len(data); end > len(n.data) {
			if errno := s.resize(n, end); errno != 0 {
				return nil, errno
			}
		}
		s.write(n, from, data)
		return binary.LittleEndian.AppendUint64(nil, uint64(len(data))), 0
	case opFallocate:
		from, end := int(r.u64(8)), int(r.u64(8)+r.u64(16))
		if r.u32(24)&(unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_ZERO_RANGE) != 0 {
			if end = min(end, len(n.data)); from < end {
				s.write(n, from, make([]byte, end-from))
			}
		} else if end > len(n.data) {
			return nil, s.resize(n, end)
		}
		return nil, 0
	case opFsync:
		n.unflushed = nil
		return nil, 0
	case opSetxattr:
		name, rest, _ := bytes.Cut(r.body[8:], []byte{0})
		if value := rest[:r.u32(0)]; string(name) == cutName {
			s.cut(n, binary.LittleEndian.Uint64(value), int(value[8]))
		} else {
			n.xattrs[string(name)] = bytes.Clone(value)
		}
		return nil, 0
	case opGetxattr:
		name, _, _ := bytes.Cut(r.body[8:], []byte{0})
		value, ok := n.xattrs[string(name)]
		switch size := r.u32(0); {
		case !ok:
			return nil, unix.ENODATA
		case size == 0:
			return binary.LittleEndian.AppendUint64(nil, uint64(len(value))), 0
		case int(size) < len(value):
			return nil, unix.ERANGE
		}
		return value, 0
	case opRemovexattr:
		name, _, _ := bytes.Cut(r.body, []byte{0})
		if _, ok := n.xattrs[string(name)]; !ok {
			return nil, unix.ENODATA
		}
		delete(n.xattrs, string(name))
		return nil, 0
	}
	return nil, unix.ENOSYS
}

func (s *server) setattr(n *node, r *request) ([]byte, syscall.Errno) {
	valid := r.u32(0)
	if valid&attrSize != 0 {
		if errno := s.options.Refuse["truncate"]; errno != 0 {
			return nil, errno
		}
		if errno := s.resize(n, int(r.u64(16))); errno != 0 {
			return nil, errno
		}
	}
	if valid&attrMode != 0 {
		if errno := s.options.Refuse["chmod"]; errno != 0 {
			return nil, errno
		}
		n.mode = n.mode&unix.S_IFMT | r.u32(68)&^unix.S_IFMT
	}
	if valid&attrUID != 0 {
		n.uid = r.u32(76)
	}
	if valid&attrGID != 0 {
		n.gid = r.u32(80)
	}
	if valid&attrMtime != 0 {
		n.mtime = time.Unix(int64(r.u64(40)), int64(r.u32(60)))
	}
	return n.attrOut(), 0
}

func (n *node) attr() []byte {
	le := binary.LittleEndian
	p := make([]byte, 88)
	le.PutUint64(p, n.id)
	le.PutUint64(p[8:], uint64(len(n.data)))
	le.PutUint64(p[16:], uint64(len(n.data)+511)/512)
	for i := range 3 { // access, modification, change
		le.PutUint64(p[24+8*i:], uint64(n.mtime.Unix()))
		le.PutUint32(p[48+4*i:], uint32(n.mtime.Nanosecond()))
	}
	le.PutUint32(p[60:], n.mode)
	le.PutUint32(p[64:], 1)
	le.PutUint32(p[68:], n.uid)
	le.PutUint32(p[72:], n.gid)
	le.PutUint32(p[80:], 4096)
	return p
}

// attrOut answers with the attributes, which the kernel must not cache.
func (n *node) attrOut() []byte { return append(make([]byte, 16), n.attr()...) }

// entryOut answers with a node and its attributes, which the kernel must not cache.
func (n *node) entryOut() []byte {
	p := binary.LittleEndian.AppendUint64(nil, n.id)
	return append(append(p, make([]byte, 32)...), n.attr()...)
}
