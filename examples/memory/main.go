//go:build linux

// Memory loads a model in the safetensors format (https://github.com/huggingface/safetensors) from S3 into
// memory that is not of the Go heap, and reads one tensor in place.
//
//	memory s3://bucket/model.safetensors TENSOR
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/config"
	"golang.org/x/sys/unix"

	"github.com/s3processpool/processpool"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "memory:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: memory s3://bucket/model.safetensors TENSOR")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	d, err := processpool.NewDownloader(cfg)
	if err != nil {
		return err
	}
	defer d.Shutdown()
	bucket, key, _ := strings.Cut(strings.TrimPrefix(args[0], "s3://"), "/")
	model, err := load(ctx, d, bucket, key)
	if err != nil {
		return err
	}
	defer unix.Munmap(model) // no tensor may be used then
	numbers, err := floats(model, args[1])
	fmt.Println(len(numbers), "numbers")
	return err
}

// load downloads an object into a file in memory, and maps it. The worker processes write the bytes: the
// Go heap gets none of them, and the garbage collector does not count them. They are all there, and
// verified, before load returns.
func load(ctx context.Context, d *processpool.Downloader, bucket, key string) ([]byte, error) {
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
	return unix.Mmap(fd, 0, int(object.Size), unix.PROT_READ, unix.MAP_SHARED)
}

// floats returns a tensor of 32-bit floats, without a copy: it is memory of the model. The format is eight
// bytes with the length of a header, the header in JSON, and the tensors, as numbers of a little-endian machine.
func floats(model []byte, name string) ([]float32, error) {
	if len(model) < 8 || binary.LittleEndian.Uint64(model) > uint64(len(model)-8) {
		return nil, errors.New("no safetensors: there is no header")
	}
	n := 8 + binary.LittleEndian.Uint64(model)
	var header map[string]struct {
		Type    string   `json:"dtype"`
		Offsets [2]int64 `json:"data_offsets"` // behind the header
	}
	if err := json.Unmarshal(model[8:n], &header); err != nil {
		return nil, fmt.Errorf("no safetensors: %w", err)
	}
	tensor, data := header[name], model[n:]
	begin, end := tensor.Offsets[0], tensor.Offsets[1]
	if tensor.Type != "F32" || begin < 0 || begin >= end || end > int64(len(data)) || (int64(n)+begin)%4 != 0 {
		return nil, fmt.Errorf("there is no tensor %q of F32 in the file: %+v", name, tensor)
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&data[begin])), (end-begin)/4), nil
}
