package disk

import (
	"bytes"
	"encoding/binary"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// server is a file system in memory. Its nodes are never forgotten: a test ends soon.
type server struct {
	options Options
	nodes   map[uint64]*node
	used    int64 // bytes of all files
}

// node is a file or a directory.
type node struct {
	id       uint64
	mode     uint32
	uid, gid uint32
	mtime    time.Time
	data     []byte
	xattrs   map[string][]byte
	folds    bool
	entries  []entry // of a directory

	unflushed []change // since the last fsync, with Options.Volatile
}

type entry struct {
	name string
	node *node
}

func newServer(o Options) *server {
	s := &server{options: o, nodes: map[uint64]*node{}}
	s.add(unix.S_IFDIR|0o777, &request{}).folds = o.Fold
	return s
}

func (s *server) add(mode uint32, r *request) *node {
	n := &node{id: uint64(len(s.nodes) + 1), mode: mode, uid: r.uid, gid: r.gid, mtime: time.Now(), xattrs: map[string][]byte{}}
	s.nodes[n.id] = n
	return n
}

// index returns the position of a name in a directory, -1 if there is none.
func (n *node) index(name string) int {
	for i, e := range n.entries {
		if e.name == name || n.folds && strings.EqualFold(e.name, name) {
			return i
		}
	}
	return -1
}

func (n *node) remove(i int) { n.entries = append(n.entries[:i:i], n.entries[i+1:]...) }

// inDirectory does what concerns a name in the directory n.
func (s *server) inDirectory(n *node, r *request) ([]byte, syscall.Errno) {
	skip := map[uint32]int{opMkdir: 8, opCreate: 16, opRename: 8, opRename2: 16}[r.op]
	if r.op == opReaddir {
		return n.list(int(r.u64(8)), int(r.u32(16))), 0
	}
	names := bytes.Split(r.body[skip:], []byte{0})
	name := string(names[0])
	at := n.index(name)
	switch r.op {
	case opMkdir, opCreate:
		if at >= 0 {
			return nil, unix.EEXIST
		}
		mode := r.u32(0)&^r.u32(4) | unix.S_IFDIR
		if r.op == opCreate {
			mode = r.u32(4) &^ r.u32(8)
		}
		created := s.add(mode, r)
		created.folds = n.folds || name == s.options.FoldBelow && name != ""
		n.entries = append(n.entries, entry{name, created})
		if r.op == opCreate {
			return append(created.entryOut(), make([]byte, 16)...), 0
		}
		return created.entryOut(), 0
	}
	if at < 0 {
		return nil, unix.ENOENT
	}
	found := n.entries[at].node
	switch r.op {
	case opLookup:
		return found.entryOut(), 0
	case opRmdir:
		if len(found.entries) > 0 {
			return nil, unix.ENOTEMPTY
		}
	case opRename, opRename2:
		n.remove(at)
		to, as := s.nodes[r.u64(0)], string(names[1])
		if i := to.index(as); i >= 0 { // the entry keeps its name
			s.release(to.entries[i].node)
			to.entries[i].node = found
		} else {
			to.entries = append(to.entries, entry{as, found})
		}
		return nil, 0
	}
	s.release(found)
	n.remove(at)
	return nil, 0
}

// release gives back the bytes of a file that has lost its name.
func (s *server) release(n *node) { s.used -= int64(len(n.data)) }

// resize sets the size of a file, within the quota.
func (s *server) resize(n *node, size int) syscall.Errno {
	more := int64(size - len(n.data))
	if s.options.Quota > 0 && more > 0 && s.used+more > s.options.Quota {
		return unix.EDQUOT
	}
	s.used += more
	n.data = append(n.data[:min(size, len(n.data))], make([]byte, max(0, int(more)))...)
	return 0
}

// list returns the entries of a directory from a position on, in at most size bytes.
func (n *node) list(from, size int) (p []byte) {
	for i := from; i < len(n.entries); i++ {
		e := n.entries[i]
		padded := (len(e.name) + 7) &^ 7
		if len(p)+24+padded > size {
			break
		}
		p = binary.LittleEndian.AppendUint64(p, e.node.id)
		p = binary.LittleEndian.AppendUint64(p, uint64(i+1))
		p = binary.LittleEndian.AppendUint32(p, uint32(len(e.name)))
		p = binary.LittleEndian.AppendUint32(p, e.node.mode>>12)
		p = append(p, e.name...)
		p = append(p, make([]byte, padded-len(e.name))...)
	}
	return p
}
