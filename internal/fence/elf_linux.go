package fence

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
)

// interpreter returns the path of a program's dynamic loader, or nothing if it has none (elf(5)).
// Package debug/elf would do the same, and be a large part of every program with this library.
func interpreter(program string) string {
	f, err := os.Open(program)
	if err != nil {
		return ""
	}
	defer f.Close()
	head := make([]byte, 64)
	if _, err := io.ReadFull(f, head); err != nil || !bytes.HasPrefix(head, []byte("\x7fELF")) {
		return ""
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[5] == 2 {
		order = binary.BigEndian
	}
	wide := head[4] == 2 // 64 bits
	var table int64
	var size, count int
	if wide {
		table, size, count = int64(order.Uint64(head[32:])), int(order.Uint16(head[54:])), int(order.Uint16(head[56:]))
	} else {
		table, size, count = int64(order.Uint32(head[28:])), int(order.Uint16(head[42:])), int(order.Uint16(head[44:]))
	}
	if size < 32 || wide && size < 56 {
		return ""
	}
	entry := make([]byte, size)
	for i := range count {
		if _, err := f.ReadAt(entry, table+int64(i*size)); err != nil {
			return ""
		}
		const interp = 3 // PT_INTERP
		if order.Uint32(entry) != interp {
			continue
		}
		var offset, length int64
		if wide {
			offset, length = int64(order.Uint64(entry[8:])), int64(order.Uint64(entry[32:]))
		} else {
			offset, length = int64(order.Uint32(entry[4:])), int64(order.Uint32(entry[16:]))
		}
		if length < 0 || length > 4096 {
			return ""
		}
		path := make([]byte, length)
		if _, err := f.ReadAt(path, offset); err != nil {
			return ""
		}
		return string(bytes.TrimRight(path, "\x00"))
	}
	return ""
}
