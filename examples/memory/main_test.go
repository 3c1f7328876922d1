//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/processpooltest"
)

// aModel returns a model with two tensors of size bytes each: of ones, and of 0, 1, 2, ...
func aModel(t *testing.T, size int) []byte {
	t.Helper()
	header, err := json.Marshal(map[string]any{
		"__metadata__": map[string]string{"format": "pt"},
		"ones":         tensor{"F32", []int64{int64(size / 4)}, [2]int64{0, int64(size)}},
		"rising":       tensor{"F32", []int64{2, int64(size / 8)}, [2]int64{int64(size), 2 * int64(size)}},
		"bytes":        tensor{"U8", []int64{4}, [2]int64{0, 4}},
	})
	if err != nil {
		t.Fatal(err)
	}
	header = append(header, bytes.Repeat([]byte(" "), 8-len(header)%8)...) // as the format has it, to align the tensors
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	for range size / 4 {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(1))
	}
	for i := range size / 4 {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(i)))
	}
	return b
}

func downloader(t *testing.T, server *processpooltest.Server) *processpool.Downloader {
	t.Helper()
	d, err := processpool.NewDownloader(server.Config(), func(c *processpool.Config) { c.MaxRequestProcesses = 2 })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Shutdown() })
	return d
}

// The tensors are right, and the bytes of the model were never on the Go heap.
func TestMemory(t *testing.T) {
	server := processpooltest.NewServer(t)
	const size = 32 << 20
	server.Put("b", "k", aModel(t, size))
	d := downloader(t, server)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var out strings.Builder
	if err := show(t.Context(), d, "b", "k", "rising", &out); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	for _, want := range []string{"verified by: CRC64NVME full object\n", "rising [2 4194304]: mean 4.1943035e+06, largest 8.388607e+06\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got %q, want %q in it", out.String(), want)
		}
	}
	// The server is in this process, and its buffers are small.
	if got := after.TotalAlloc - before.TotalAlloc; got > size {
		t.Errorf("the heap has got %d bytes for a model of %d", got, 2*size)
	}
}

// What is no model is an error, and says why.
func TestMemoryNoModel(t *testing.T) {
	server := processpooltest.NewServer(t)
	d := downloader(t, server)
	good := aModel(t, 8)
	for want, content := range map[string][]byte{
		"empty":              {},
		"no header":          []byte("short"),
		"a header of":        {255, 0, 0, 0, 0, 0, 0, 0, '{'},
		"invalid character":  {2, 0, 0, 0, 0, 0, 0, 0, 'x', 'y'},
		"is not in the file": good[:len(good)-1],
		"no tensors":         {2, 0, 0, 0, 0, 0, 0, 0, '{', '}'},
		"there is no tensor": good,
		"does not exist":     nil,
	} {
		if content != nil {
			server.Put("b", "k", content)
		}
		key := "k"
		if content == nil {
			key = "missing"
		}
		var out strings.Builder
		err := show(t.Context(), d, "b", key, "another", &out)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	server.Put("b", "k", good)
	if err := show(t.Context(), d, "b", "k", "bytes", new(strings.Builder)); err == nil || !strings.Contains(err.Error(), "U8") {
		t.Errorf("got %v, want the type", err)
	}
}
