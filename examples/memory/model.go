//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool"
)

// model is a file in the safetensors format (https://github.com/huggingface/safetensors): eight bytes
// with the length of a header, the header in JSON, and the tensors.
type model struct {
	bytes   []byte // mapped; not of the Go heap
	data    []byte // the tensors, in bytes
	tensors map[string]tensor
	object  processpool.Object
}

type tensor struct {
	Type    string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"` // in data
}

// load downloads a model into a file in memory, and maps it. The worker processes write the bytes: the
// Go heap gets none of them, and the garbage collector does not count them. Only when every byte is
// there and verified, load looks at one.
func load(ctx context.Context, d *processpool.Downloader, bucket, key string) (*model, error) {
	fd, err := unix.MemfdCreate(key, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), key)
	defer f.Close() // the mapping stays
	object, err := d.DownloadTo(ctx, bucket, key, f).Wait(ctx)
	if err != nil {
		return nil, err
	}
	if object.Size == 0 {
		return nil, errors.New("the object is empty")
	}
	mapped, err := unix.Mmap(int(f.Fd()), 0, int(object.Size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	m := &model{bytes: mapped, object: object}
	if err := m.parse(); err != nil {
		m.close()
		return nil, fmt.Errorf("s3://%s/%s is not in the safetensors format: %w", bucket, key, err)
	}
	return m, nil
}

func (m *model) parse() error {
	if len(m.bytes) < 8 {
		return errors.New("no header")
	}
	rest := m.bytes[8:]
	n := binary.LittleEndian.Uint64(m.bytes)
	if n > uint64(len(rest)) {
		return fmt.Errorf("a header of %d bytes in a file of %d", n, len(m.bytes))
	}
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(rest[:n], &entries); err != nil {
		return err
	}
	m.data = rest[n:]
	m.tensors = map[string]tensor{}
	for name, entry := range entries {
		if name == "__metadata__" {
			continue
		}
		var t tensor
		if err := json.Unmarshal(entry, &t); err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		if begin, end := t.Offsets[0], t.Offsets[1]; begin < 0 || begin > end || end > int64(len(m.data)) {
			return fmt.Errorf("tensor %q is not in the file", name)
		}
		m.tensors[name] = t
	}
	return nil
}

// names returns the names of the tensors, sorted.
func (m *model) names() []string { return slices.Sorted(maps.Keys(m.tensors)) }

// floats returns the numbers of a tensor of 32-bit floats, until close. Where they are aligned, they
// are the mapped bytes themselves.
func (m *model) floats(name string) ([]float32, error) {
	t := m.tensors[name]
	if t.Type != "F32" {
		return nil, fmt.Errorf("tensor %q is of type %s, and this example reads F32", name, t.Type)
	}
	raw := m.data[t.Offsets[0]:t.Offsets[1]]
	if len(raw) == 0 {
		return nil, nil
	}
	first := unsafe.Pointer(&raw[0])
	if littleEndian() && uintptr(first)%unsafe.Alignof(float32(0)) == 0 {
		return unsafe.Slice((*float32)(first), len(raw)/4), nil
	}
	numbers := make([]float32, len(raw)/4)
	for i := range numbers {
		numbers[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return numbers, nil
}

func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

// close gives the memory back to the system. Nothing that the model has returned may be used then.
func (m *model) close() { unix.Munmap(m.bytes) }
