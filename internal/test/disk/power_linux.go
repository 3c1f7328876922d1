package disk

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Power is a disk with a cache that loses what was not flushed when the power is cut: a loop device over
// a file of a FUSE file system, whose server keeps a log of the writes since the last fsync.
type Power struct {
	image  Image
	blocks string
	cut    sync.Mutex // the file cutName has the state of one power cut
}

// MountPower makes the image's file system on a disk of its own, and mounts it on dir.
func (i Image) MountPower(t *testing.T, dir string) *Power {
	t.Helper()
	below := t.TempDir()
	Mount(t, below, Options{Volatile: true})
	p := &Power{image: i, blocks: filepath.Join(below, "blocks")}
	back, err := os.OpenFile(p.blocks, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	if err := back.Truncate(i.Size); err != nil {
		t.Fatal(err)
	}
	device := attach(t, back, i.Sector)
	run(t, i.Make[0], append(i.Make[1:len(i.Make):len(i.Make)], device.Name())...)
	mount(t, device.Name(), dir, i.Type, i.Options, false)
	return p
}

// cutName is the extended attribute that asks for the state after a power cut, and the name of the file
// that has it.
const cutName = "user.cut"

// Cut returns a directory with the file system as it is after a power cut at this moment. Of what was
// written to the disk since its last flush, each block of 4 KiB is there with a probability of percent.
// Nothing happens to the disk itself. The directory can be used until release.
func (p *Power) Cut(t *testing.T, seed uint64, percent int) (dir string, release func()) {
	t.Helper()
	p.cut.Lock()
	defer p.cut.Unlock()
	value := binary.LittleEndian.AppendUint64(nil, seed)
	if err := unix.Setxattr(p.blocks, cutName, append(value, byte(percent)), 0); err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(filepath.Join(filepath.Dir(p.blocks), cutName))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.Create(filepath.Join(t.TempDir(), "blocks"))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	_, err = io.CopyBuffer(sparse{to}, struct{ io.Reader }{from}, make([]byte, 1<<16))
	if err == nil {
		err = to.Truncate(p.image.Size)
	}
	if err != nil {
		t.Fatal(err)
	}
	device := attach(t, to, p.image.Sector)
	defer device.Close() // the mount holds it
	dir = t.TempDir()
	options := p.image.Options
	if p.image.Type == "xfs" {
		options = "nouuid" // the disk itself is mounted, too
	}
	if err := unix.Mount(device.Name(), dir, p.image.Type, 0, options); err != nil {
		t.Fatalf("the file system does not survive the power cut: %v", err)
	}
	return dir, func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
		os.Remove(to.Name())
	}
}

// sparse writes to a new file, and leaves holes for zeros.
type sparse struct{ *os.File }

func (s sparse) Write(p []byte) (int, error) {
	if !slices.ContainsFunc(p, func(b byte) bool { return b != 0 }) {
		_, err := s.Seek(int64(len(p)), io.SeekCurrent)
		return len(p), err
	}
	return s.File.Write(p)
}

// change is a write that was not flushed.
type change struct {
	from     int
	old, new []byte
}

// write changes bytes of a file that is as large.
func (s *server) write(n *node, from int, data []byte) {
	if s.options.Volatile {
		n.unflushed = append(n.unflushed, change{from, slices.Clone(n.data[from : from+len(data)]), slices.Clone(data)})
	}
	copy(n.data[from:], data)
}

// cut makes a file in the root that has the bytes which the file has after a power cut.
func (s *server) cut(n *node, seed uint64, percent int) {
	data := slices.Clone(n.data)
	for _, c := range slices.Backward(n.unflushed) {
		copy(data[c.from:], c.old)
	}
	random := rand.New(rand.NewPCG(seed, 0))
	for _, c := range n.unflushed {
		for at := 0; at < len(c.new); at += 4096 {
			if random.IntN(100) < percent {
				copy(data[c.from+at:], c.new[at:min(at+4096, len(c.new))])
			}
		}
	}
	root := s.nodes[1]
	if i := root.index(cutName); i >= 0 {
		root.entries[i].node.data = data
		return
	}
	file := s.add(unix.S_IFREG|0o600, &request{})
	file.data = data
	root.entries = append(root.entries, entry{cutName, file})
}
