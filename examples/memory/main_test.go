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

	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/processpooltest"
)

type tensor struct {
	Type    string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

// aModel returns a model with two tensors of size bytes each: of ones, and of 0, 1, 2, ...
func aModel(t *testing.T, size int) []byte {
	t.Helper()
	header, err := json.Marshal(map[string]any{
		"__metadata__": map[string]string{"format": "pt"},
		"ones":         tensor{"F32", []int{size / 4}, [2]int{0, size}},
		"rising":       tensor{"F32", []int{2, size / 8}, [2]int{size, 2 * size}},
		"bytes":        tensor{"U8", []int{4}, [2]int{0, 4}},
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
	model, err := load(t.Context(), d, "b", "k")
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(model)
	numbers, err := floats(model, "rising")
	if err != nil || len(numbers) != size/4 || numbers[0] != 0 || numbers[len(numbers)-1] != size/4-1 {
		t.Errorf("got %d numbers, %v", len(numbers), err)
	}
	runtime.ReadMemStats(&after)
	// The server is in this process, and its buffers are small.
	if got := after.TotalAlloc - before.TotalAlloc; got > size {
		t.Errorf("the heap has got %d bytes for a model of %d", got, 2*size)
	}
}

// What is no model is an error, and says why.
func TestMemoryNoModel(t *testing.T) {
	good := aModel(t, 8)
	for want, content := range map[string][]byte{
		"there is no header":                 []byte("short"),
		"no safetensors: there is no header": {255, 0, 0, 0, 0, 0, 0, 0, '{'},
		"invalid character":                  {2, 0, 0, 0, 0, 0, 0, 0, 'x', 'y'},
		`no tensor "rising"`:                 good[:len(good)-1],
		`there is no tensor "rising"`:        {2, 0, 0, 0, 0, 0, 0, 0, '{', '}'},
	} {
		if numbers, err := floats(content, "rising"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, %v, want an error with %q", numbers, err, want)
		}
	}
	if _, err := floats(good, "bytes"); err == nil || !strings.Contains(err.Error(), "U8") {
		t.Errorf("got %v, want the type", err)
	}
	server := processpooltest.NewServer(t)
	d := downloader(t, server)
	server.Put("b", "empty", nil)
	for key, want := range map[string]string{"missing": "does not exist", "empty": "invalid argument"} {
		if _, err := load(t.Context(), d, "b", key); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", key, err, want)
		}
	}
}
